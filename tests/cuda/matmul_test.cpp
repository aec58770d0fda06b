#include "engine/ops/matmul.h"

#include <doctest/doctest.h>

#include <array>
#include <vector>

#include "tests/check_device.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("cuda: matmul, all transpositions, batches") {
  for (const bool ta : {false, true})
    for (const bool tb : {false, true})
      for (const auto& sizes :
           std::vector<std::array<std::int64_t, 3>>{{1, 1, 1}, {5, 7, 3}, {65, 64, 130}, {3, 70, 1000}}) {
        const std::int64_t m = sizes[0], n = sizes[1], k = sizes[2];
        INFO(m << " x " << n << " x " << k << ", transposed " << ta << tb);
        const auto shape = [](bool t, std::int64_t r, std::int64_t c) {
          return t ? Shape{c, r} : Shape{r, c};
        };
        check_devices_agree("matmul",
                            [&](const std::vector<Tensor>& in) {
                              return matmul(in[0], in[1], {ta, tb});
                            },
                            {random_normal(shape(ta, m, k), Key(1)), random_normal(shape(tb, k, n), Key(2))});
      }
}

TEST_CASE("cuda: linear with and without bias, and mixed precision") {
  const Tensor x = random_normal({33, 20}, Key(1)), w = random_normal({10, 20}, Key(2)),
               b = random_normal({10}, Key(3));
  check_devices_agree("linear", [](const std::vector<Tensor>& in) { return linear(in[0], in[1], in[2]); },
                      {x, w, b});
  check_devices_agree("linear", [](const std::vector<Tensor>& in) { return linear(in[0], in[1], Tensor()); },
                      {x, w});
  const auto device = gpu();
  if (!device) return;
  const auto run = [&](Device where) {
    Tensor weight = w.to(where).clone(), bias = b.to(where).clone();
    weight.set_requires_grad();
    bias.set_requires_grad();
    const Tensor y = linear(x.to(Dtype::bf16).to(where), weight, bias);
    backward(y, random_normal(y.shape(), Key(5)).to(Dtype::bf16).to(where));
    return std::vector<Tensor>{y.detach().to(Device{}), weight.grad().to(Device{}), bias.grad().to(Device{})};
  };
  const auto want = run(Device{}), got = run(*device);
  for (std::size_t i = 0; i < want.size(); ++i) {
    CHECK(got[i].dtype() == want[i].dtype());
    CHECK(relative_error(got[i], want[i]) < 1e-2);
  }
}

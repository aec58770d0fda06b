#include "engine/ops/conv2d.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/check_device.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

struct Problem {
  std::int64_t n, h, w, c, o, kernel, stride, padding, dilation, groups;
};

const std::vector<Problem>& problems() {
  static const std::vector<Problem> list = {
      {2, 9, 7, 3, 5, 3, 1, 1, 1, 1},    {1, 8, 8, 16, 16, 3, 2, 1, 1, 1},  {3, 6, 5, 8, 12, 1, 1, 0, 1, 1},
      {2, 8, 8, 8, 8, 1, 2, 0, 1, 1},    {2, 7, 7, 6, 4, 3, 1, 2, 2, 2},    {1, 10, 9, 4, 8, 3, 2, 1, 1, 4},
      {2, 12, 12, 3, 70, 5, 3, 2, 1, 1}, {5, 17, 13, 65, 3, 3, 1, 1, 1, 1}, {1, 1, 1, 7, 9, 1, 1, 0, 1, 1},
  };
  return list;
}

std::vector<Tensor> inputs_of(const Problem& p) {
  return {random_normal({p.n, p.h, p.w, p.c}, Key(1)),
          mul(random_normal({p.o, p.kernel, p.kernel, p.c / p.groups}, Key(2)), 0.3),
          random_normal({p.o}, Key(3))};
}

Conv2dOptions options_of(const Problem& p) {
  return {p.stride, p.stride, p.padding, p.padding, p.dilation, p.dilation, p.groups};
}

}  // namespace

TEST_CASE("cuda: conv2d and its gradients") {
  for (const Problem& p : problems()) {
    INFO("c " << p.c << ", o " << p.o << ", kernel " << p.kernel << ", stride " << p.stride << ", groups "
              << p.groups);
    const Conv2dOptions options = options_of(p);
    check_devices_agree(
        "conv2d", [&](const std::vector<Tensor>& in) { return conv2d(in[0], in[1], in[2], options); },
        inputs_of(p));
    check_devices_agree(
        "conv2d without bias",
        [&](const std::vector<Tensor>& in) { return conv2d(in[0], in[1], Tensor(), options); },
        {inputs_of(p)[0], inputs_of(p)[1]});
  }
}

TEST_CASE("cuda: conv2d adds a residual") {
  for (const Problem& p : problems()) {
    const Conv2dOptions options = options_of(p);
    std::vector<Tensor> inputs = inputs_of(p);
    inputs.push_back(random_normal(conv2d(inputs[0], inputs[1], inputs[2], options).shape(), Key(4)));
    check_devices_agree(
        "conv2d with residual",
        [&](const std::vector<Tensor>& in) { return conv2d(in[0], in[1], in[2], options, in[3]); }, inputs);
  }
}

TEST_CASE("cuda: conv2d in mixed precision keeps gradients of parameters in f32") {
  const auto device = gpu();
  if (!device) return;
  const Problem p = problems()[0];
  const std::vector<Tensor> inputs = inputs_of(p);
  const auto run = [&](Device where) {
    const Tensor x = inputs[0].to(Dtype::bf16).to(where);
    Tensor weight = inputs[1].to(where).clone(), bias = inputs[2].to(where).clone();
    weight.set_requires_grad();
    bias.set_requires_grad();
    const Tensor y = conv2d(x, weight, bias, options_of(p));
    backward(y, random_normal(y.shape(), Key(5)).to(Dtype::bf16).to(where));
    return std::vector<Tensor>{y.detach().to(Device{}), weight.grad().to(Device{}), bias.grad().to(Device{})};
  };
  const auto want = run(Device{}), got = run(*device);
  for (std::size_t i = 0; i < want.size(); ++i) {
    CHECK(got[i].dtype() == want[i].dtype());
    CHECK(relative_error(got[i], want[i]) < 1e-2);
  }
}

TEST_CASE("cuda: conv2d with a folded batch norm") {
  const auto device = gpu();
  if (!device) return;
  for (const Dtype dtype : {Dtype::f32, Dtype::bf16})
    for (const Problem& p : problems()) {
      const std::vector<Tensor> in = inputs_of(p);
      const auto run = [&](Device where) {
        const NoGrad unrecorded;
        const ChannelAffine affine{random_normal({p.o}, Key(6)).to(where),
                                   random_normal({p.o}, Key(7)).to(where), true};
        return conv2d_affine(in[0].to(dtype).to(where), in[1].to(where).to(dtype), in[2].to(where).to(dtype),
                             options_of(p), Tensor(), affine)
            .to(Device{});
      };
      CHECK(relative_error(run(*device), run(Device{})) < (dtype == Dtype::f32 ? 3e-6 : 1e-2));
    }
}

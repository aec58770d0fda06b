#include "engine/ops/reduce.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/check_device.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Case {
  Shape shape;
  Axes axes;
};

/// Every path of the sweep: few and many results, rows and columns, whole and broken packs, several parts.
const std::vector<Case>& cases() {
  static const std::vector<Case> list = {
      {{7}, {}},
      {{1}, {0}},
      {{5, 1, 3}, {1}},
      {{3, 5}, {0}},
      {{3, 5}, {1}},
      {{3, 5}, {0, 1}},
      {{6, 8, 16}, {0}},
      {{6, 8, 16}, {1}},
      {{6, 8, 16}, {2}},
      {{6, 8, 16}, {0, 2}},
      {{6, 8, 16}, {0, 1}},
      {{3, 5, 2, 7}, {0, 2}},
      {{3, 5, 2, 7}, {1, 3}},
      {{40'001}, {}},
      {{2, 20'000}, {1}},
      {{9001, 3}, {0}},
      {{4500, 16}, {0}},
      {{3, 3000, 5}, {1}},
      {{4, 150, 3, 70}, {1, 3}},
      {{600, 4}, {1}},
      {{3000, 2, 8}, {1}},
  };
  return list;
}

void check_all(const char* name, const std::function<Tensor(const Tensor&, const Axes&, bool)>& f,
               const DeviceTolerance& tolerance = {}) {
  for (const auto& [shape, axes] : cases())
    for (const bool keepdim : {false, true})
      check_devices_agree(
          name, [&, axes = axes](const std::vector<Tensor>& in) { return f(in[0], axes, keepdim); },
          {random_normal(shape, Key(1), 0.3, 1)}, tolerance);
}

}  // namespace

TEST_CASE("cuda reduce: sums and means") {
  if (!gpu()) return;
  check_all("sum", [](const Tensor& x, const Axes& axes, bool keep) { return sum(x, axes, keep); });
  check_all("mean", [](const Tensor& x, const Axes& axes, bool keep) { return mean(x, axes, keep); });
}

TEST_CASE("cuda reduce: variance, logsumexp, l2norm") {
  if (!gpu()) return;
  check_all("variance",
            [](const Tensor& x, const Axes& axes, bool keep) { return variance(x, axes, keep, false); });
  check_all("logsumexp",
            [](const Tensor& x, const Axes& axes, bool keep) { return logsumexp(x, axes, keep); });
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{7}, Shape{3, 5}, Shape{30'001}})
    check_devices_agree("l2norm", [](const std::vector<Tensor>& in) { return l2norm(in[0]); },
                        {random_normal(shape, Key(2))});
  check_devices_agree("l2norm", [](const std::vector<Tensor>& in) { return l2norm(in[0]); },
                      {Tensor::zeros({5})});
}

TEST_CASE("cuda reduce: largest and smallest") {
  if (!gpu()) return;
  check_all("max", [](const Tensor& x, const Axes& axes, bool keep) { return noisymix::max(x, axes, keep); });
  check_all("min", [](const Tensor& x, const Axes& axes, bool keep) { return noisymix::min(x, axes, keep); });
}

TEST_CASE("cuda reduce: argmax, and gradients where elements are equal") {
  const auto device = gpu();
  if (!device) return;
  for (const Shape& shape : {Shape{7, 33}, Shape{3, 8, 5}, Shape{1, 20'000}, Shape{12'000, 3}}) {
    const Tensor x = random_uniform(shape, Key(3), 0, 4).to(Dtype::i32).to(Dtype::f32);  // many ties
    for (int axis = 0; axis < shape.rank(); ++axis) {
      CHECK(same_bits(argmax(x.to(*device), axis).to(Device{}), argmax(x, axis)));
      check_devices_agree("max", [&](const std::vector<Tensor>& in) { return noisymix::max(in[0], {axis}); },
                          {x});
    }
    check_devices_agree("min", [&](const std::vector<Tensor>& in) { return noisymix::min(in[0]); }, {x});
  }
}

TEST_CASE("cuda reduce: no elements") {
  const auto device = gpu();
  if (!device) return;
  CHECK(sum(Tensor::zeros({0, 3}, Dtype::f32, *device)).item() == 0);
  CHECK(sum(Tensor::zeros({0, 3}, Dtype::f32, *device), {0}).to_vector<float>() ==
        std::vector<float>{0, 0, 0});
  CHECK(sum(Tensor::zeros({2, 0}, Dtype::f32, *device), {1}).to_vector<float>() == std::vector<float>{0, 0});
  CHECK(sum(Tensor::zeros({2, 0}, Dtype::f32, *device), {0}).numel() == 0);
  CHECK(logsumexp(Tensor::zeros({2, 0}, Dtype::f32, *device), {1}).to_vector<float>()[1] == -kInfinity);
}

TEST_CASE("cuda reduce: NaN and infinities") {
  const auto device = gpu();
  if (!device) return;
  const double nan = std::nan("");
  const Tensor x =
      Tensor::from(std::vector<double>{1, nan, 3, nan, -kInfinity, -kInfinity, -kInfinity, -kInfinity,  //
                                       0, kInfinity, 2, 1, -1, -kInfinity, -2, -3},
                   {4, 4});
  for (const Dtype dtype : {Dtype::f64, Dtype::f32, Dtype::bf16}) {
    const Tensor there = x.to(dtype).to(*device);
    const auto largest = values(noisymix::max(there, {1})), smallest = values(noisymix::min(there, {1}));
    CHECK(std::isnan(largest[0]));
    CHECK(std::isnan(smallest[0]));
    CHECK(largest[1] == -kInfinity);
    CHECK(largest[2] == kInfinity);
    CHECK(largest[3] == -1);
    CHECK(smallest[3] == -kInfinity);
    CHECK(argmax(there, 1).to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 0, 1, 0});
    const auto lse = values(logsumexp(there, {1})), expected = values(logsumexp(x.to(dtype), {1}));
    CHECK(std::isnan(lse[0]));
    CHECK(lse[1] == -kInfinity);
    CHECK(lse[2] == kInfinity);
    CHECK(lse[3] == expected[3]);
    Tensor bottom = Tensor::full({3, 2}, -kInfinity, dtype, *device);
    bottom.set_requires_grad();
    backward(sum(logsumexp(bottom, {1})));
    CHECK(values(bottom.grad()) == std::vector<double>(6, 0.0));
  }
}

TEST_CASE("cuda reduce: sums keep their digits") {
  const auto device = gpu();
  if (!device) return;
  const Tensor x = Tensor::full({100'000}, 0.1, Dtype::f32, *device);
  CHECK(sum(x).item() == static_cast<float>(100'000 * static_cast<double>(0.1f)));
  const Tensor shifted = add(random_normal({20'001}, Key(4)), 1000);
  CHECK(relative_error(variance(shifted.to(*device)), variance(shifted)) < 1e-6);
}

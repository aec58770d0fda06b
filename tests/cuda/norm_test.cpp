#include <doctest/doctest.h>

#include <vector>

#include "engine/ops/batch_norm.h"
#include "tests/check_device.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

/// x [rows, c] with means of about `mean` and deviations of about 1, weight, bias, running mean and variance.
std::vector<Tensor> inputs_of(std::int64_t rows, std::int64_t channels, double mean) {
  const Tensor centres = random_normal({channels}, Key(5), mean, 2, Dtype::f64);
  return {add(random_normal({rows, channels}, Key(1), 0, 1, Dtype::f64), centres),
          random_uniform({channels}, Key(2), 0.5, 1.5, Dtype::f64), random_normal({channels}, Key(3)),
          random_normal({channels}, Key(4), mean, 1, Dtype::f64),
          random_uniform({channels}, Key(6), 0.5, 1.5, Dtype::f64)};
}

enum class Result { y, mean, variance };

OpFunction op_of(bool train, bool relu, Result result = Result::y) {
  return [=](const std::vector<Tensor>& in) {
    BatchNormOptions options;
    options.relu = relu;
    Tensor mean = in[3].detach().clone(), variance = in[4].detach().clone();
    const Tensor y = train ? batch_norm_train(in[0], in[1], in[2], mean, variance, options)
                           : batch_norm_eval(in[0], in[1], in[2], mean, variance, options);
    return result == Result::y ? y : result == Result::mean ? mean : variance;
  };
}

void check(std::int64_t rows, std::int64_t channels, bool train, bool relu, double mean = 0) {
  INFO(rows << " rows, " << channels << " channels, train " << train << ", relu " << relu << ", mean "
            << mean);
  DeviceTolerance tolerance;
  if (mean != 0) tolerance = {1e-9, 2e-5, -1};  // f32 inputs themselves are only good to 1e-7 of their mean
  check_devices_agree("batch_norm", op_of(train, relu), inputs_of(rows, channels, mean), tolerance);
}

}  // namespace

TEST_CASE("cuda batch_norm: every number of channels, with and without relu") {
  for (const std::int64_t channels : {1, 3, 8, 10, 16, 64, 100, 272, 300})
    for (const bool train : {true, false}) check(57, channels, train, channels % 2 == 0);
  check(57, 16, true, false);
  check(57, 3, true, true);
}

TEST_CASE("cuda batch_norm: few rows and many") {
  for (const std::int64_t rows : {3, 129, 5000})
    for (const std::int64_t channels : {3, 16}) check(rows, channels, true, true);
  check(20'001, 8, true, false);
  check(1, 16, false, true);
}

TEST_CASE("cuda batch_norm: two rows, whose normalised values do not depend on them") {
  check_devices_agree("batch_norm", op_of(true, false), inputs_of(2, 3, 0), {1e-9, 1e-3, 0.1});
}

TEST_CASE("cuda batch_norm: no rows, no channels") {
  const auto device = gpu();
  if (!device) return;
  for (const auto& [rows, channels] : {std::pair<std::int64_t, std::int64_t>{0, 4}, {4, 0}})
    check(rows, channels, false, true);
}

TEST_CASE("cuda batch_norm: means that are large against the deviation") {
  for (const std::int64_t channels : {3, 16}) {
    check(700, channels, true, false, 1e3);
    check(700, channels, true, true, -1e3);
  }
}

TEST_CASE("cuda batch_norm: running statistics") {
  for (const Result result : {Result::mean, Result::variance})
    for (const std::int64_t channels : {3, 16})
      check_devices_agree("batch_norm", op_of(true, false, result), inputs_of(300, channels, 10),
                          {1e-12, 1e-6, 1e-2});
}

TEST_CASE("cuda batch_norm: bf16 between f32 parameters") {
  const auto device = gpu();
  if (!device) return;
  const std::vector<Tensor> in = inputs_of(300, 24, 1);
  const auto run = [&](Device where) {
    std::vector<Tensor> at;
    for (std::size_t i = 0; i < in.size(); ++i)
      at.push_back(in[i].to(i == 0 ? Dtype::bf16 : Dtype::f32).to(where).clone());
    for (std::size_t i = 0; i < 3; ++i) at[i].set_requires_grad();
    const Tensor y = op_of(true, true)(at);
    backward(y, random_normal(y.shape(), Key(7)).to(Dtype::bf16).to(where));
    return std::vector<Tensor>{y.detach(), at[0].grad(), at[1].grad(), at[2].grad()};
  };
  const std::vector<Tensor> want = run(Device{}), got = run(*device);
  CHECK(relative_error(got[0], want[0]) < 1e-2);
  CHECK(relative_error(got[1], want[1]) < 1e-2);
  CHECK(got[2].dtype() == Dtype::f32);
  CHECK(relative_error(got[2], want[2]) < 1e-5);
  CHECK(relative_error(got[3], want[3]) < 1e-5);
}

TEST_CASE("cuda batch_norm: elements that are not aligned to packs") {
  const auto device = gpu();
  if (!device) return;
  const std::vector<Tensor> in = inputs_of(41, 4, 1);
  const auto run = [&](Device where) {
    const Tensor x = random_normal({41 * 4 + 2}, Key(8)).to(where);  // from the second element on
    const Tensor odd = x.reshape({-1, 2}).rows(1, 83).reshape({41, 4});
    return op_of(true, false)({odd, in[1].to(Dtype::f32).to(where), in[2].to(where),
                               in[3].to(Dtype::f32).to(where), in[4].to(Dtype::f32).to(where)});
  };
  CHECK(relative_error(run(*device), run(Device{})) < 3e-6);
}

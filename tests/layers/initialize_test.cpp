// The distributions that weights start with.
#include "layers/initialize.h"

#include <algorithm>

#include "layers/conv2d.h"
#include "layers/linear.h"
#include "tests/layers/check_layer.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

double deviation_of(const Tensor& x) {
  return std::sqrt(variance(x).item());
}

double largest_of(const Tensor& x) {
  double result = 0;
  for (const double v : values(x)) result = std::max(result, std::abs(v));
  return result;
}

}  // namespace

TEST_CASE("fan-in and fan-out of a convolution, in groups too") {
  Tensor weight = Tensor::zeros({96, 3, 3, 16});  // OHWI
  fill_weight(weight, WeightInit::he_fan_in, Key(1));
  CHECK(deviation_of(weight) == doctest::Approx(std::sqrt(2.0 / (9 * 16))).epsilon(0.03));
  CHECK(std::abs(mean(weight).item()) < 0.005);
  fill_weight(weight, WeightInit::he_fan_out, Key(1));
  CHECK(deviation_of(weight) == doctest::Approx(std::sqrt(2.0 / (9 * 96))).epsilon(0.03));
  fill_weight(weight, WeightInit::fan_in_uniform, Key(1));
  CHECK(largest_of(weight) <= 1.0 / 12);
  CHECK(deviation_of(weight) == doctest::Approx(1.0 / 12 / std::sqrt(3.0)).epsilon(0.03));
  fill_weight(weight, WeightInit::truncated_normal, Key(1));
  CHECK(deviation_of(weight) == doctest::Approx(0.02).epsilon(0.03));
}

TEST_CASE("fans of a linear map") {
  Tensor weight = Tensor::zeros({50, 200});
  fill_weight(weight, WeightInit::he_fan_in, Key(1));
  CHECK(deviation_of(weight) == doctest::Approx(0.1).epsilon(0.03));
  fill_weight(weight, WeightInit::he_fan_out, Key(1));
  CHECK(deviation_of(weight) == doctest::Approx(0.2).epsilon(0.03));
}

TEST_CASE("a truncated normal law has no values outside and the right spread inside") {
  Tensor x = Tensor::zeros({20000});
  fill_truncated_normal(x, 1, -1, 1, Key(3));
  CHECK(largest_of(x) <= 1);
  CHECK(largest_of(x) > 0.99);
  // 1 - 2 phi(1) / (2 Phi(1) - 1), the variance of a normal law cut at one deviation
  CHECK(variance(x).item() == doctest::Approx(0.2911).epsilon(0.03));
  CHECK(std::abs(mean(x).item()) < 0.02);
  Tensor again = Tensor::zeros({20000});
  fill_truncated_normal(again, 1, -1, 1, Key(3));
  CHECK(same_bits(x, again));
  CHECK(message_of([&] { fill_truncated_normal(x, 0, -1, 1, Key(3)); }) ==
        "[initialize] a truncated normal needs a positive deviation and bounds around 0, got 0 in [-1, 1]");
}

TEST_CASE("layers start as told") {
  const InitialValues he{WeightInit::he_fan_out, /*zero_bias=*/true};
  Conv2d conv(8, 64, 3, {}, /*bias=*/true, he), plain(8, 64, 3);
  Linear map(100, 64, /*bias=*/true, {WeightInit::truncated_normal, true});
  conv.initialize(Key(1));
  plain.initialize(Key(1));
  map.initialize(Key(1));
  CHECK(deviation_of(state_of(conv, "weight")) == doctest::Approx(std::sqrt(2.0 / (9 * 64))).epsilon(0.05));
  CHECK(largest_of(state_of(conv, "bias")) == 0);
  CHECK(deviation_of(state_of(map, "weight")) == doctest::Approx(0.02).epsilon(0.05));
  CHECK(largest_of(state_of(map, "bias")) == 0);
  CHECK(largest_of(state_of(plain, "weight")) <= 1 / std::sqrt(72.0));
  CHECK(largest_of(state_of(plain, "bias")) > 0.5 / std::sqrt(72.0));
}

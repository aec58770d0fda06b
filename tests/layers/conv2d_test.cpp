// Convolution as a layer: shapes of its state, initial range, gradients.
#include "layers/conv2d.h"

#include "tests/layers/check_layer.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("convolution keeps OHWI weights and computes what the op does") {
  Conv2d conv(4, 6, 3, Conv2dOptions::square(2, 1));
  CHECK(state_of(conv, "weight").shape() == Shape{6, 3, 3, 4});
  CHECK(state_of(conv, "bias").shape() == Shape{6});
  conv.initialize(Key(1));
  const Tensor x = random_normal({2, 5, 7, 4}, Key(2));
  const Tensor y = conv(x, {});
  CHECK(y.shape() == Shape{2, 3, 4, 6});
  CHECK(
      same_bits(y, conv2d(x, state_of(conv, "weight"), state_of(conv, "bias"), Conv2dOptions::square(2, 1))));
  Conv2d bare(4, 6, 1, {}, /*bias=*/false);
  CHECK(names_of(bare.state()) == std::vector<std::string>{"weight"});
}

TEST_CASE("convolution draws weights and biases from U(-1, 1) / sqrt(fan_in)") {
  Conv2d conv(16, 64, 3);
  conv.initialize(Key(1));
  const double bound = 1 / std::sqrt(16 * 9.0);
  for (const char* name : {"weight", "bias"}) {
    const auto drawn = values(state_of(conv, name));
    double square_sum = 0;
    for (const double v : drawn) {
      CHECK(std::abs(v) <= bound);
      square_sum += v * v;
    }
    CHECK(square_sum / static_cast<double>(drawn.size()) == doctest::Approx(bound * bound / 3).epsilon(0.3));
  }
}

TEST_CASE("convolution gradients, also in groups") {
  Conv2d conv(2, 3, 3, Conv2dOptions::square(2, 1));
  check_layer_gradients(conv, random_normal({2, 4, 5, 2}, Key(3)), {});
  Conv2dOptions grouped = Conv2dOptions::square(1, 1);
  grouped.groups = 2;
  Conv2d split(4, 2, 3, grouped, /*bias=*/false);
  CHECK(state_of(split, "weight").shape() == Shape{2, 3, 3, 2});
  check_layer_gradients(split, random_normal({1, 3, 3, 4}, Key(4)), {});
}

TEST_CASE("convolution refuses impossible sizes") {
  Conv2dOptions grouped;
  grouped.groups = 3;
  CHECK_THROWS_WITH_AS(
      Conv2d(4, 6, 3, grouped),
      "[Conv2d] 4 and 6 channels with kernel 3 and 3 groups: all must be positive and both channel counts "
      "divisible by the groups",
      ShapeError);
}

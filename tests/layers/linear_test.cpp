// The affine map as a layer.
#include "layers/linear.h"

#include "engine/ops/matmul.h"
#include "tests/layers/check_layer.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("linear: exact values, state and gradients") {
  Linear map(2, 3);
  CHECK(state_of(map, "weight").shape() == Shape{3, 2});
  map.load_state({{"weight", Tensor::from<float>({1, 2, 3, 4, 5, 6}, {3, 2})},
                  {"bias", Tensor::from<float>({1, 0, -1}, {3})}});
  CHECK(values(map(Tensor::from<float>({10, 1}, {1, 2}), {})) == std::vector<double>{13, 34, 55});
  check_layer_gradients(map, random_normal({4, 2}, Key(1)), {});
  Linear bare(2, 3, /*bias=*/false);
  CHECK(names_of(bare.state()) == std::vector<std::string>{"weight"});
  check_layer_gradients(bare, random_normal({2, 2, 2}, Key(1)), {});
  CHECK_THROWS_WITH_AS(Linear(0, 3), "[Linear] 0 inputs and 3 outputs: both must be positive", ShapeError);
}

TEST_CASE("linear draws from U(-1, 1) / sqrt(in)") {
  Linear map(100, 50);
  map.initialize(Key(1));
  for (const char* name : {"weight", "bias"})
    for (const double v : values(state_of(map, name))) CHECK(std::abs(v) <= 0.1);
  CHECK(sum(square(state_of(map, "weight"))).item() / 5000 == doctest::Approx(0.01 / 3).epsilon(0.1));
}

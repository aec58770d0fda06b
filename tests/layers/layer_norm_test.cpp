// Layer normalisation as a layer.
#include "layers/layer_norm.h"

#include "tests/layers/check_layer.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("layer norm starts as the identity of normalised features") {
  LayerNorm norm(4);
  CHECK(names_of(norm.state()) == std::vector<std::string>{"weight", "bias"});
  const Tensor y = norm(Tensor::from<float>({1, 2, 3, 4}, {1, 4}), {});
  CHECK(values(y)[0] == doctest::Approx(-1.5 / std::sqrt(1.25)).epsilon(1e-5));
  check_layer_gradients(norm, random_normal({2, 3, 4}, Key(1)), {});
  norm.to(Dtype::f32);
  norm.initialize(Key(1));
  const Tensor x = random_normal({3, 4}, Key(2)), half = norm(x.to(Dtype::bf16), {});
  CHECK(half.dtype() == Dtype::bf16);
  const auto wide = values(norm(x, {})), rounded = values(half);
  for (std::size_t i = 0; i < wide.size(); ++i) CHECK(std::abs(wide[i] - rounded[i]) < 0.03);
  CHECK(values(state_of(norm, "weight")) == std::vector<double>{1, 1, 1, 1});
}

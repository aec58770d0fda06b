// Stochastic depth as a layer: whole examples, drawn from key and path.
#include "layers/drop_path.h"

#include "engine/ops/dropout.h"
#include "layers/sequential.h"
#include "tests/layers/check_layer.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("drop path keeps or drops whole examples, from the step's key and its own path") {
  Sequential pair;
  pair.emplace<DropPath>(0.25);
  pair.emplace<DropPath>(0.25);
  const Tensor x = Tensor::ones({400, 3, 2});
  const Tensor first = pair[0](x, training_context(7)), second = pair[1](x, training_context(7));
  CHECK(same_bits(first, drop_path(x, 0.25, Key(7).child("0"))));
  CHECK_FALSE(same_bits(first, second));
  const auto v = values(first);
  int kept = 0;
  for (std::size_t i = 0; i < v.size(); i += 6) {
    for (std::size_t j = 1; j < 6; ++j) CHECK(v[i + j] == v[i]);
    CHECK((v[i] == 0 || v[i] == doctest::Approx(1 / 0.75)));
    kept += v[i] != 0;
  }
  CHECK(kept > 270);
  CHECK(kept < 330);
  CHECK(pair.drawing_modules() == std::vector<std::string>{"0", "1"});
}

TEST_CASE("drop path passes x through in evaluation and at p = 0") {
  const Tensor x = random_normal({10, 2}, Key(1));
  DropPath half(0.5), none(0);
  CHECK(same_bits(half(x, {}), x));
  CHECK(same_bits(none(x, training_context()), x));
  CHECK(none.drawing_modules().empty());
  CHECK(half.state().empty());
  check_layer_gradients(half, x, training_context());
  CHECK_THROWS_WITH_AS(DropPath(1.0), "[DropPath] the probability must be in [0, 1), got 1", ShapeError);
}

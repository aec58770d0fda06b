// Dropout as a layer: its draws follow key and path.
#include "layers/dropout.h"

#include "engine/ops/dropout.h"
#include "layers/sequential.h"
#include "tests/layers/check_layer.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("dropout draws from the step's key and its own path") {
  Sequential pair;
  pair.emplace<Dropout>(0.5);
  pair.emplace<Dropout>(0.5);
  const Tensor x = Tensor::ones({200});
  const Context context = training_context(7);
  const Tensor first = pair[0](x, context), second = pair[1](x, context);
  CHECK(same_bits(first, dropout(x, 0.5, Key(7).child("0"))));
  CHECK(same_bits(second, dropout(x, 0.5, Key(7).child("1"))));
  CHECK_FALSE(same_bits(first, second));
  CHECK_FALSE(same_bits(first, pair[0](x, training_context(8))));
}

TEST_CASE("dropout passes x through in evaluation and at p = 0") {
  const Tensor x = random_normal({10}, Key(1));
  Dropout half(0.5), none(0);
  CHECK(same_bits(half(x, {}), x));
  CHECK(same_bits(none(x, training_context()), x));
  CHECK(half.state().empty());
  check_layer_gradients(half, x, training_context());
  CHECK_THROWS_WITH_AS(Dropout(1.0), "[Dropout] the probability must be in [0, 1), got 1", ShapeError);
}

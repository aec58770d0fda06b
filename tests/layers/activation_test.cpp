// Nonlinearities by name.
#include "layers/activation.h"

#include "engine/ops/elementwise.h"
#include "tests/layers/check_layer.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("activation by name") {
  const Tensor x = Tensor::from<float>({-2, -0.5, 0, 1, 3}, {5});
  Activation rectifier(parse_activation("relu")), smooth(parse_activation("gelu"));
  CHECK(same_bits(rectifier(x, {}), relu(x)));
  CHECK(same_bits(smooth(x, {}), gelu(x)));
  CHECK(same_bits(activate(ActivationKind::identity, x), x));
  CHECK(rectifier.state().empty());
  CHECK_THROWS_WITH_AS(parse_activation("swish"), "unknown activation 'swish', expected relu or gelu",
                       ConfigError);
}

// Max-pooling as a layer.
#include "layers/max_pool2d.h"

#include "layers/sequential.h"
#include "tests/layers/check_layer.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("max-pooling takes the largest value of each window and has no state") {
  MaxPool2d pool(Pool2dOptions::square(2, 2));
  const Tensor x = Tensor::from<float>({1, 5, 2, 0, 3, 4, -1, -2}, {1, 2, 4, 1});
  CHECK(values(pool(x, {})) == std::vector<double>{5, 2});
  CHECK(pool.state().empty());
  MaxPool2d overlapping(Pool2dOptions::square(3, 2, 1));
  CHECK(overlapping(Tensor::zeros({1, 7, 8, 2}), {}).shape() == Shape{1, 4, 4, 2});
  check_layer_gradients(overlapping, random_normal({1, 5, 5, 2}, Key(3)), {});
}

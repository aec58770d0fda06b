#include "engine/ops/pool.h"

#include <doctest/doctest.h>

#include <vector>

#include "engine/ops/dropout.h"
#include "tests/check_device.h"

using namespace noisymix;
using namespace noisymix::testing;
using Inputs = std::vector<Tensor>;

TEST_CASE("cuda: pooling over strided, padded and adaptive windows") {
  const std::vector<Pool2dOptions> list = {Pool2dOptions::square(2, 2),
                                           Pool2dOptions::square(3, 2, 1),
                                           Pool2dOptions::square(3, 1, 1),
                                           {2, 3, 1, 2, 1, 0, true, false},
                                           {3, 3, 2, 2, 1, 1, true, true}};
  const Tensor x = random_normal({2, 9, 7, 5}, Key(1));
  for (std::size_t i = 0; i < list.size(); ++i) {
    INFO("options " << i);
    check_devices_agree("avg_pool2d", [&](const Inputs& in) { return avg_pool2d(in[0], list[i]); }, {x});
    check_devices_agree("max_pool2d", [&](const Inputs& in) { return max_pool2d(in[0], list[i]); }, {x});
  }
  for (const auto& [h, w] : {std::pair<std::int64_t, std::int64_t>{1, 1}, {4, 3}, {9, 7}, {11, 5}}) {
    check_devices_agree("adaptive_avg_pool2d",
                        [h = h, w = w](const Inputs& in) { return adaptive_avg_pool2d(in[0], h, w); }, {x});
    check_devices_agree("adaptive_max_pool2d",
                        [h = h, w = w](const Inputs& in) { return adaptive_max_pool2d(in[0], h, w); }, {x});
  }
  check_devices_agree("global_avg_pool2d", [](const Inputs& in) { return global_avg_pool2d(in[0]); }, {x});
}

TEST_CASE("cuda: the largest of a window with NaN, and of equals") {
  const auto device = gpu();
  if (!device) return;
  const float nan = NAN;
  const Tensor x = Tensor::from<float>({1, 1, nan, 2, 3, 3, 1, nan}, {2, 2, 2, 1});
  CHECK(same_bits(max_pool2d(x.to(*device), Pool2dOptions::square(2, 2)).to(Device{}),
                  max_pool2d(x, Pool2dOptions::square(2, 2))));
}

TEST_CASE("cuda: dropout keeps the same elements as on the CPU") {
  for (const std::int64_t count : {1, 3, 4, 1001, 40000}) {
    const Tensor x = add(abs(random_normal({count}, Key(2))), 1);
    const DeviceTolerance exact{1e-15, 1e-7, 1e-15};
    check_devices_agree(
        "dropout", [](const Inputs& in) { return dropout(in[0], 0.3, Key(7)); }, {x}, exact);
    check_devices_agree(
        "drop_path",
        [](const Inputs& in) {
          return drop_path(in[0].reshape({-1, 1}), 0.5, Key(7));
        },
        {x}, exact);
  }
  check_devices_agree("dropout of a part",
                      [](const Inputs& in) { return dropout(in[0].rows(1, 40), 0.3, Key(7)); },
                      {random_normal({41, 3}, Key(1))});
}

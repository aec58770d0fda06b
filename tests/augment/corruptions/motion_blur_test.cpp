// motion_blur against the benchmark's own results.
#include "augment/corruptions/motion_blur.h"

#include <doctest/doctest.h>

#include <vector>

#include "engine/error.h"
#include "tests/augment/corruptions/golden_replay.h"

using namespace noisymix;

namespace {

testing::Agreement replay(const std::vector<testing::GoldenCorruption>& cases, ParameterSet set) {
  testing::Agreement agreement;
  Scratch scratch;
  Image out;
  for (const auto& golden : cases) {
    const auto& row = kMotionBlur[static_cast<std::size_t>(set)][golden.severity - 1];
    motion_blur(golden.input, row, golden.draws.at(0).at(0), scratch, out);
    testing::compare_bytes(golden, out, agreement);
  }
  return agreement;
}

}  // namespace

TEST_CASE("motion blur: recorded images, byte for byte") {
  const auto small = replay(testing::golden_small("motion_blur"), ParameterSet::cifar);
  CHECK(small.cases >= 10);  // twice as many in the whole set of reference values
  CHECK(small.levels == 0);
  const auto large = replay(testing::golden_large("motion_blur"), ParameterSet::imagenet);
  CHECK(large.cases >= 3);
  CHECK(large.levels == 0);
}

TEST_CASE("motion blur: directions") {
  double low = 0, high = 0, total = 0;
  for (std::int64_t i = 0; i < 1000; ++i) {
    const double degrees = draw_motion(Key(1).child(i));
    low = std::min(low, degrees);
    high = std::max(high, degrees);
    total += degrees;
  }
  CHECK(low >= -45);
  CHECK(low < -44);
  CHECK(high < 45);
  CHECK(high > 44);
  CHECK(std::abs(total / 1000) < 3);
}

TEST_CASE("motion blur: shapes, keys and severities") {
  testing::check_contract([](ParameterSet set, int severity) { return make_motion_blur(set, severity); },
                          true, 0);
}

// defocus_blur against the benchmark's own results.
#include "augment/corruptions/defocus_blur.h"

#include <doctest/doctest.h>

#include <vector>

#include "augment/filters/disk_kernel.h"
#include "engine/error.h"
#include "tests/augment/corruptions/golden_replay.h"

using namespace noisymix;

namespace {

testing::Agreement replay(const std::vector<testing::GoldenCorruption>& cases, ParameterSet set) {
  testing::Agreement agreement;
  Scratch scratch;
  for (const auto& golden : cases) {
    const auto& row = kDefocusBlur[static_cast<std::size_t>(set)][golden.severity - 1];
    const Scratch::Frame frame(scratch);
    const auto disk = disk_taps(row.radius, row.alias, scratch);
    std::vector<double> values(golden.input.pixels.size());
    defocus_blur(golden.input, disk, scratch, values.data());
    testing::compare_values<double>(golden, values, agreement);
    Image out;
    defocus_blur(golden.input, disk, scratch, out);
    testing::compare_bytes(golden, out, agreement);
  }
  return agreement;
}

}  // namespace

TEST_CASE("defocus blur: recorded images") {
  const auto small = replay(testing::golden_small("defocus_blur"), ParameterSet::cifar);
  CHECK(small.cases >= 10);  // twice as many in the whole set of reference values
  CHECK(small.largest < 1e-4);
  CHECK(small.levels <= 1);
  CHECK(small.share < 0.0065);
  const auto large = replay(testing::golden_large("defocus_blur"), ParameterSet::imagenet);
  CHECK(large.cases >= 3);
  CHECK(large.largest < 1e-4);
  CHECK(large.levels <= 1);
  CHECK(large.share < 0.0065);
}

TEST_CASE("defocus blur: shapes, keys and severities") {
  testing::check_contract([](ParameterSet set, int severity) { return make_defocus_blur(set, severity); },
                          false, 0);
}

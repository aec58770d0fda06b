// zoom_blur against the benchmark's own results.
#include "augment/corruptions/zoom_blur.h"

#include <doctest/doctest.h>

#include <vector>

#include "engine/error.h"
#include "tests/augment/corruptions/golden_replay.h"

using namespace noisymix;

namespace {

testing::Agreement replay(const std::vector<testing::GoldenCorruption>& cases, ParameterSet set) {
  testing::Agreement agreement;
  Scratch scratch;
  for (const auto& golden : cases) {
    const auto& row = kZoomBlur[static_cast<std::size_t>(set)][golden.severity - 1];
    std::vector<float> values(golden.input.pixels.size());
    zoom_blur(golden.input, row, scratch, values.data());
    testing::compare_values<float>(golden, values, agreement);
    Image out;
    zoom_blur(golden.input, row, scratch, out);
    testing::compare_bytes(golden, out, agreement);
  }
  return agreement;
}

}  // namespace

TEST_CASE("zoom blur: recorded images") {
  const auto small = replay(testing::golden_small("zoom_blur"), ParameterSet::cifar);
  CHECK(small.cases >= 10);  // twice as many in the whole set of reference values
  CHECK(small.largest < 1e-4);
  CHECK(small.levels <= 1);
  CHECK(small.share < 0.0004);
  const auto large = replay(testing::golden_large("zoom_blur"), ParameterSet::imagenet);
  CHECK(large.cases >= 3);
  CHECK(large.largest < 1e-4);
  CHECK(large.levels <= 1);
  CHECK(large.share < 0.0004);
}

TEST_CASE("zoom blur: shapes, keys and severities") {
  testing::check_contract([](ParameterSet set, int severity) { return make_zoom_blur(set, severity); }, false,
                          0);
}

TEST_CASE("zoom blur: the last factors of the lists") {
  const auto last = [](ParameterSet set, int severity) {
    return zoom_factors(kZoomBlur[static_cast<std::size_t>(set)][severity - 1]).back();
  };
  for (const auto set : {ParameterSet::cifar, ParameterSet::tiny_imagenet}) {
    CHECK(last(set, 1) == doctest::Approx(1.06));
    CHECK(last(set, 2) == doctest::Approx(1.11));
    CHECK(last(set, 3) == doctest::Approx(1.15));
    CHECK(last(set, 4) == doctest::Approx(1.20));
    CHECK(last(set, 5) == doctest::Approx(1.25));
  }
  CHECK(last(ParameterSet::imagenet, 1) == doctest::Approx(1.11));
  CHECK(last(ParameterSet::imagenet, 2) == doctest::Approx(1.15));
  CHECK(last(ParameterSet::imagenet, 3) == doctest::Approx(1.20));
  CHECK(last(ParameterSet::imagenet, 4) == doctest::Approx(1.24));
  CHECK(last(ParameterSet::imagenet, 5) == doctest::Approx(1.30));
}

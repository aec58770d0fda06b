// elastic_transform against the benchmark's own results.
#include "augment/corruptions/elastic_transform.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/augment/corruptions/golden_case.h"
#include "tests/augment/images.h"

using namespace noisymix;

namespace {

/// The recorded draws: jitter in pixels, then dx, then dy.
struct Recorded {
  std::vector<float> dx, dy;
  ElasticDraws draws;
  explicit Recorded(const testing::GoldenCorruption& golden) {
    REQUIRE(golden.draws.size() == 3);
    for (std::size_t i = 0; i < 6; ++i) draws.jitter[i / 2][i % 2] = static_cast<float>(golden.draws[0][i]);
    dx.assign(golden.draws[1].begin(), golden.draws[1].end());
    dy.assign(golden.draws[2].begin(), golden.draws[2].end());
    draws.dx = dx;
    draws.dy = dy;
  }
};

struct Agreement {
  double largest = 0;  ///< before truncation
  double share = 0;    ///< of bytes that differ
  int levels = 0;
};

Agreement replay(const testing::GoldenCorruption& golden, ParameterSet set, int crop_begin) {
  Scratch scratch;
  const Recorded recorded(golden);
  const Image& image = golden.input;
  const ElasticStrength strength = elastic_strength(set, golden.severity, image.height);
  std::vector<float> values(image.pixels.size() + 3);
  elastic_transform(image, recorded.draws, strength, scratch, values.data());
  Agreement result;
  const int side = crop_begin == 0 ? 32 : 16;
  for (std::size_t i = 0; i < golden.before_truncation.size(); ++i) {
    const auto at = static_cast<int>(i);
    const int y = crop_begin + at / (3 * side), x = 3 * crop_begin + at % (3 * side);
    const auto place = static_cast<std::size_t>(y * 3 * image.width + x);
    result.largest =
        std::max(result.largest, static_cast<double>(std::abs(values[place] - golden.before_truncation[i])));
  }
  Image out;
  elastic_transform(image, recorded.draws, strength, scratch, out);
  for (std::size_t i = 0; i < out.pixels.size(); ++i)
    REQUIRE(int{out.pixels[i]} == static_cast<int>(values[i]));
  const auto wrong =
      testing::difference(crop_begin == 0 ? out : testing::crop_of(out, crop_begin, 64), golden.expected);
  result.share = wrong.share;
  result.levels = wrong.largest;
  return result;
}

}  // namespace

TEST_CASE("elastic transform: recorded results") {
  double share = 0;
  int seen = 0;
  for (const auto& golden : testing::golden_small("elastic_transform")) {
    CAPTURE(golden.name);
    const Agreement found = replay(golden, ParameterSet::cifar, 0);
    CHECK(found.largest < 1e-4);
    CHECK(found.levels <= 1);
    share += found.share;
    ++seen;
  }
  CHECK(share / seen < 0.0004);
  share = seen = 0;
  for (const auto& golden : testing::golden_large("elastic_transform")) {
    CAPTURE(golden.name);
    const Agreement found = replay(golden, ParameterSet::imagenet, 80);
    CHECK(found.largest < 1e-4);
    CHECK(found.levels <= 1);
    share += found.share;
    ++seen;
  }
  CHECK(share / seen < 0.0004);
}

TEST_CASE("elastic transform: strength scales with the side") {
  CHECK(elastic_strength(ParameterSet::cifar, 2, 32).sigma == doctest::Approx(6.4));
  CHECK(elastic_strength(ParameterSet::cifar, 2, 64).sigma == doctest::Approx(12.8));
  CHECK(elastic_strength(ParameterSet::imagenet, 1, 224).alpha == doctest::Approx(488));
  CHECK(elastic_strength(ParameterSet::imagenet, 1, 32).affine == doctest::Approx(24.4 / 7));
  CHECK_THROWS(elastic_strength(ParameterSet::cifar, 0, 32));
  CHECK_THROWS(make_elastic_transform(ParameterSet::cifar, 6));
}

TEST_CASE("elastic transform: draws") {
  Scratch scratch;
  const ElasticStrength strength{3, 1, 2.5};
  const ElasticDraws draws = draw_elastic(Key(3), 17, 33, strength, scratch);
  CHECK(draws.dx.size() == 17 * 33);
  CHECK(draws.dy.size() == 17 * 33);
  float low = 0, high = 0, most = 0;
  for (const auto field : {draws.dx, draws.dy})
    for (float v : field) {
      low = std::min(low, v);
      high = std::max(high, v);
    }
  CHECK(low < -0.9f);
  CHECK(low >= -1);
  CHECK(high > 0.9f);
  CHECK(high < 1);
  CHECK(draws.dx[0] != draws.dy[0]);
  for (std::int64_t i = 0; i < 50; ++i)
    for (const auto& point : draw_elastic(Key(4).child(i), 8, 8, {0, 0, 2.5}, scratch).jitter)
      for (float v : point) most = std::max(most, std::abs(v));
  CHECK(most > 2);
  CHECK(most <= 2.5f);
  CHECK_THROWS(elastic_transform(Image(8, 8, 3), {}, strength, scratch, std::vector<float>(195).data()));
}

TEST_CASE("elastic transform: any shape, a pure function of the key, grey like equal channels") {
  Scratch scratch;
  Image out, again, colour;
  for (const ParameterSet set : {ParameterSet::cifar, ParameterSet::tiny_imagenet, ParameterSet::imagenet})
    for (const auto& [height, width] : {std::pair{8, 8}, std::pair{17, 33}, std::pair{40, 24}})
      for (int severity = 1; severity <= kSeverities; ++severity) {
        const Image grey = testing::smooth_image(height, width, 1, Key(9));
        Image rgb(height, width, 3);
        for (std::size_t i = 0; i < rgb.pixels.size(); ++i) rgb.pixels[i] = grey.pixels[i / 3];
        const auto corruption = make_elastic_transform(set, severity);
        corruption->apply(grey, Key(5), scratch, out);
        corruption->apply(grey, Key(5), scratch, again);
        corruption->apply(rgb, Key(5), scratch, colour);
        CHECK(out == again);
        REQUIRE(colour.channels == 3);
        REQUIRE(out.pixels.size() == grey.pixels.size());
        bool equal = true;
        for (std::size_t i = 0; i < colour.pixels.size(); ++i)
          equal = equal && colour.pixels[i] == out.pixels[i / 3];
        CHECK(equal);
        corruption->apply(grey, Key(6), scratch, again);
        CHECK_FALSE(out == again);
      }
}

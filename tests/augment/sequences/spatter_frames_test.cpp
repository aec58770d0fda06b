// Frames of spatter: the water of the first frame runs down and becomes less.
#include <doctest/doctest.h>

#include "augment/corruptions/spatter.h"
#include "augment/filters/gaussian_filter.h"
#include "tests/augment/images.h"
#include "tests/augment/sequences/golden_sequence.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("spatter frames: the first is the corruption, later ones have its layer further down") {
  Image image(40, 40, 3);
  std::fill(image.pixels.begin(), image.pixels.end(), std::uint8_t{50});
  const Key key(8);
  const auto frames = frames_of(*make_sequence(SequenceType::spatter, ParameterSet::cifar), image, key);
  REQUIRE(frames.size() == 31);
  const SpatterConstants constants{.6, .265, 1.75, .7, .6, false};
  std::vector<float> layer(1600);
  draw_spatter(key, constants, layer);
  Scratch scratch;
  Image first;
  spatter<float>(image, layer, constants, scratch, first);
  CHECK(difference(first, frames[0]).largest == 0);
  CHECK(difference(first, image).share > 0.005);
  // The layer moves 0.8 rows a frame, so after 30 frames the upper 10 rows are clean.
  const Image& last = frames.back();
  CHECK(std::all_of(last.row(0), last.row(10), [](std::uint8_t v) { return v == 50; }));
  CHECK_FALSE(frames[1] == frames[0]);
}

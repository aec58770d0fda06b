// Frames of blur against recorded ones.
#include <doctest/doctest.h>

#include "tests/augment/images.h"
#include "tests/augment/sequences/golden_sequence.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("blur frames: motion blur is exact") {
  check_golden_sequence(SequenceType::motion_blur, 0, 0);
}

TEST_CASE("blur frames: zoom blur is exact") {
  check_golden_sequence(SequenceType::zoom_blur, 0, 0);
}

TEST_CASE("blur frames: a Gaussian widens from frame to frame") {
  // Of a single bright pixel, ever less stays in place.
  Image image(17, 17, 1);
  image.row(8)[8] = 255;
  const auto sequence = make_sequence(SequenceType::gaussian_blur, ParameterSet::imagenet);
  const auto frames = frames_of(*sequence, image, Key(1));
  CHECK(frames.size() == 31);
  for (std::size_t i = 1; i < frames.size(); ++i) CHECK(frames[i].row(8)[8] < frames[i - 1].row(8)[8]);
  // The last sigma is 1.3: the centre is the square of the one-dimensional weight.
  double total = 0;
  for (int k = -8; k <= 8; ++k) total += std::exp(-k * k / (2 * 1.3 * 1.3));
  CHECK(std::abs(frames.back().row(8)[8] - 255 / (total * total)) <= 1);
}

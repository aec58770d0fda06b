// speckle_noise: the benchmark's own draws give its own bytes; our draws have the exact distribution.
#include "augment/corruptions/speckle_noise.h"

#include "tests/augment/corruptions/elementwise.h"
#include "tests/augment/corruptions/golden_case.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

void check_golden(const GoldenCorruption& golden, const Image& out, const std::vector<double>& values,
                  bool whole) {
  CHECK((whole ? out : crop_of(out, 80, 64)) == golden.expected);
  CHECK(distance_to_recorded(values, golden.input, golden.before_truncation) < 1e-4);
}

}  // namespace

TEST_CASE("speckle_noise: recorded draws") {
  Image out;
  for (const bool small : {true, false})
    for (const auto& golden : small ? golden_small("speckle_noise") : golden_large("speckle_noise")) {
      CAPTURE(golden.name);
      std::vector<double> values(golden.input.pixels.size());
      speckle_noise(golden.input, std::span<const double>(golden.draws[0]), out, values.data());
      check_golden(golden, out, values, small);
      CHECK(golden.entry["draws"][0]["scale"].get<double>() ==
            kSpeckleNoise[small ? 0 : 2][golden.severity - 1]);
      const std::vector<float> noise(golden.draws[0].begin(), golden.draws[0].end());
      Image rounded;
      speckle_noise(golden.input, std::span<const float>(noise), rounded);
      const Difference d = difference(out, rounded);
      CHECK(d.largest <= 1);
      CHECK(d.share < 1e-3);
    }
}

TEST_CASE("speckle_noise: what is applied is the function of what is drawn") {
  const Image image = random_image(17, 33, 3, Key(1));
  Scratch scratch;
  Image applied, replayed;
  make_speckle_noise(ParameterSet::cifar, 4)->apply(image, Key(3), scratch, applied);
  std::vector<float> noise(image.pixels.size());
  draw_normal_noise(Key(3), kSpeckleNoise[0][3], noise);
  speckle_noise(image, std::span<const float>(noise), replayed);
  CHECK(applied == replayed);
  noise.pop_back();
  CHECK_THROWS_AS(speckle_noise(image, std::span<const float>(noise), replayed), ShapeError);
}

TEST_CASE("speckle_noise: any shape and instruction set") {
  check_any_shape(make_speckle_noise);
  check_uses_key(*make_speckle_noise(ParameterSet::cifar, 1));
}

TEST_CASE("speckle_noise: the exact distribution") {
  for (const int severity : {1, 5}) {
    const double sigma = kSpeckleNoise[2][severity - 1];
    check_distribution(*make_speckle_noise(ParameterSet::imagenet, severity), [&](int level, int result) {
      return clipped_normal(level / 255.0, level / 255.0 * sigma, result);
    });
  }
}

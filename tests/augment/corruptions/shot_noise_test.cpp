// shot_noise: the benchmark's own counts give its own bytes; our counts have the exact distribution.
#include "augment/corruptions/shot_noise.h"

#include "tests/augment/corruptions/elementwise.h"
#include "tests/augment/corruptions/golden_case.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("shot_noise: recorded counts") {
  Image out;
  for (const bool small : {true, false})
    for (const auto& golden : small ? golden_small("shot_noise") : golden_large("shot_noise")) {
      CAPTURE(golden.name);
      std::vector<double> values(golden.input.pixels.size());
      shot_noise(golden.input, std::span<const double>(golden.draws[0]),
                 kShotNoise[small ? 0 : 2][golden.severity - 1], out, values.data());
      CHECK((small ? out : crop_of(out, 80, 64)) == golden.expected);
      CHECK(distance_to_recorded(values, out, golden.before_truncation) < 1e-4);
    }
}

TEST_CASE("shot_noise: what is applied is the function of what is drawn") {
  const Image image = random_image(17, 33, 3, Key(1));
  Scratch scratch;
  Image applied, replayed;
  for (const auto& [set, photons] :
       {std::pair{ParameterSet::cifar, 50}, std::pair{ParameterSet::imagenet, 3}}) {
    make_shot_noise(set, 5)->apply(image, Key(3), scratch, applied);
    std::vector<std::uint16_t> counts(image.pixels.size());
    PhotonCounts(photons).draw(Key(3), image.pixels, scratch, counts);
    shot_noise(image, std::span<const std::uint16_t>(counts), photons, replayed);
    CHECK(applied == replayed);
    counts.pop_back();
    CHECK_THROWS_AS(shot_noise(image, std::span<const std::uint16_t>(counts), photons, replayed), ShapeError);
    CHECK_THROWS_AS(PhotonCounts(photons).draw(Key(3), image.pixels, scratch, counts), ShapeError);
  }
  CHECK_THROWS_AS(PhotonCounts(0), ShapeError);
  CHECK_THROWS_AS(PhotonCounts(701), ShapeError);
}

TEST_CASE("shot_noise: any shape and instruction set") {
  check_any_shape(make_shot_noise);
  check_uses_key(*make_shot_noise(ParameterSet::cifar, 1));
}

TEST_CASE("shot_noise: the exact distribution") {
  // 500 and 250 photons have more counts than columns; 3 photons have four results.
  for (const auto& [set, severity] : {std::pair{ParameterSet::cifar, 1}, std::pair{ParameterSet::cifar, 3},
                                      std::pair{ParameterSet::imagenet, 5}}) {
    const int photons = kShotNoise[static_cast<int>(set)][severity - 1];
    check_distribution(*make_shot_noise(set, severity), [&, photons = photons](int level, int result) {
      const double mean = level / 255.0 * photons;
      double share = 0, below = 0;
      for (int k = 0; k < photons; ++k) {
        const double p =
            level == 0 ? (k == 0 ? 1 : 0) : std::exp(k * std::log(mean) - mean - std::lgamma(k + 1.0));
        below += p;
        if (static_cast<int>(static_cast<double>(k) / photons * 255) == result) share += p;
      }
      return result == 255 ? std::max(0.0, 1 - below) : share;
    });
  }
}

// impulse_noise: the benchmark's own masks give its own bytes; our masks have the exact distribution.
#include "augment/corruptions/impulse_noise.h"

#include "tests/augment/corruptions/elementwise.h"
#include "tests/augment/corruptions/golden_case.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("impulse_noise: recorded masks") {
  Image out;
  for (const bool small : {true, false})
    for (const auto& golden : small ? golden_small("impulse_noise") : golden_large("impulse_noise")) {
      CAPTURE(golden.name);
      const std::vector<std::uint8_t> flipped(golden.draws[0].begin(), golden.draws[0].end());
      const std::vector<std::uint8_t> salted(golden.draws[1].begin(), golden.draws[1].end());
      impulse_noise(golden.input, flipped, salted, out);
      CHECK((small ? out : crop_of(out, 80, 64)) == golden.expected);
      CHECK(golden.entry["draws"][0]["p"].get<double>() == kImpulseNoise[small ? 0 : 2][golden.severity - 1]);
      const std::vector<double> values(out.pixels.begin(), out.pixels.end());
      CHECK(distance_to_recorded(values, out, golden.before_truncation) < 1e-4);
    }
}

TEST_CASE("impulse_noise: what is applied is the function of what is drawn") {
  const Image image = random_image(17, 33, 3, Key(1));
  Scratch scratch;
  Image applied, replayed;
  make_impulse_noise(ParameterSet::cifar, 5)->apply(image, Key(3), scratch, applied);
  std::vector<std::uint8_t> flipped(image.pixels.size()), salted(image.pixels.size());
  draw_impulse_noise(Key(3), 0.07, scratch, flipped, salted);
  impulse_noise(image, flipped, salted, replayed);
  CHECK(applied == replayed);
  CHECK(applied != image);
  salted.pop_back();
  CHECK_THROWS_AS(impulse_noise(image, flipped, salted, replayed), ShapeError);
  CHECK_THROWS_AS(draw_impulse_noise(Key(3), 0.07, scratch, flipped, salted), ShapeError);
}

TEST_CASE("impulse_noise: any shape and instruction set") {
  check_any_shape(make_impulse_noise);
  check_uses_key(*make_impulse_noise(ParameterSet::cifar, 5));
}

TEST_CASE("impulse_noise: the exact distribution") {
  for (const int severity : {1, 5}) {
    const double amount = kImpulseNoise[2][severity - 1];
    check_distribution(*make_impulse_noise(ParameterSet::imagenet, severity), [&](int level, int result) {
      return (result == level ? 1 - amount : 0) + (result == 0 || result == 255 ? amount / 2 : 0);
    });
  }
}

// Frames of noise against recorded ones, and the distribution of the draws.
#include <doctest/doctest.h>

#include "augment/corruptions/gaussian_noise.h"
#include "augment/corruptions/shot_noise.h"
#include "tests/augment/images.h"
#include "tests/augment/sequences/golden_sequence.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("noise frames: recorded Gaussian frames from recorded draws are exact") {
  for (const auto& golden : golden_sequences("gaussian_noise")) {
    CHECK(golden.frames[0] == golden.input);
    const auto scale = golden.entry["scale"].get<float>();
    const std::size_t count = golden.input.pixels.size(), pixels = count / 3;
    std::vector<float> noise(count);
    for (std::size_t i = 1; i < golden.frames.size(); ++i) {
      const auto stream = golden.entry["streams"][i - 1].get<std::uint32_t>();
      for (std::size_t j = 0; j < count; ++j)  // the recorded index is channel by channel
        noise[(j % pixels) * 3 + j / pixels] =
            scale * static_cast<float>(golden_n(stream, static_cast<std::uint32_t>(j)));
      Image out;
      gaussian_noise<float>(golden.input, noise, out);
      CHECK(out == golden.frames[i]);
    }
  }
}

TEST_CASE("noise frames: recorded shot noise from recorded counts is exact") {
  for (const auto& golden : golden_sequences("shot_noise")) {
    CHECK(golden.frames[0] == golden.input);
    const auto counts = as_doubles(golden_sequence_arrays().at(golden.entry["draws"].get<std::string>()));
    const std::size_t count = golden.input.pixels.size();
    for (std::size_t i = 1; i < golden.frames.size(); ++i) {
      Image out;
      shot_noise<double>(golden.input, std::span(counts).subspan((i - 1) * count, count),
                         golden.entry["lam_scale"], out);
      CHECK(out == golden.frames[i]);
    }
  }
}

namespace {

/// Mean and standard deviation of the bytes of frames 1, 2, ...
struct Moments {
  double mean = 0, deviation = 0;
};
Moments moments_of_noise(const std::vector<Image>& frames) {
  double sum = 0, squares = 0, count = 0;
  for (std::size_t i = 1; i < frames.size(); ++i) {
    for (const std::uint8_t byte : frames[i].pixels) {
      sum += byte;
      squares += static_cast<double>(byte) * byte;
      count += 1;
    }
  }
  const double mean = sum / count;
  return {mean, std::sqrt(squares / count - mean * mean)};
}

}  // namespace

TEST_CASE("noise frames: a clean frame, then draws of the level's spread") {
  constexpr int kGrey = 120;
  constexpr double kUnit = kGrey / 255.0;
  Image image(32, 32, 3);
  std::fill(image.pixels.begin(), image.pixels.end(), std::uint8_t{kGrey});
  const auto check = [&](SequenceType type, ParameterSet set, int difficulty, double deviation) {
    CAPTURE(name_of(type));
    CAPTURE(difficulty);
    const auto frames = frames_of(*make_sequence(type, set, difficulty), image, Key(3));
    CHECK(frames.size() == 31);
    CHECK(frames[0] == image);
    CHECK_FALSE(frames[1] == frames[2]);
    const Moments found = moments_of_noise(frames);
    CHECK(found.mean == doctest::Approx(kGrey - 0.5).epsilon(0.005));  // truncation takes half a level
    // Truncation adds 1/12 of a level squared.
    CHECK(found.deviation == doctest::Approx(std::sqrt(deviation * deviation + 1 / 12.0)).epsilon(0.02));
  };
  const ParameterSet cifar = ParameterSet::cifar, tiny = ParameterSet::tiny_imagenet,
                     imagenet = ParameterSet::imagenet;
  check(SequenceType::gaussian_noise, cifar, 1, 255 * .02);
  check(SequenceType::gaussian_noise, cifar, 3, 255 * .06);
  check(SequenceType::gaussian_noise, imagenet, 2, 255 * .05);
  check(SequenceType::speckle_noise, cifar, 2, kGrey * .07);
  check(SequenceType::speckle_noise, tiny, 3, kGrey * .15);
  check(SequenceType::shot_noise, cifar, 1, 255 * std::sqrt(kUnit / 700));
  check(SequenceType::shot_noise, cifar, 3, 255 * std::sqrt(kUnit / 200));
  check(SequenceType::shot_noise, tiny, 2, 255 * std::sqrt(kUnit / 250));
}

// What holds for every type: names, counts, determinism, sizes, and the crop of large images.
#include "augment/sequences/sequence.h"

#include <set>
#include <string>

#include "engine/error.h"
#include "tests/augment/images.h"
#include "tests/augment/sequences/golden_sequence.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

std::vector<SequenceType> all_types() {
  std::vector<SequenceType> types;
  for (int i = 0; i < kAllSequences; ++i) types.push_back(static_cast<SequenceType>(i));
  return types;
}
constexpr ParameterSet kSets[] = {ParameterSet::cifar, ParameterSet::tiny_imagenet, ParameterSet::imagenet};

}  // namespace

TEST_CASE("sequence: names") {
  for (const auto type : all_types()) CHECK(sequence_named(name_of(type)) == type);
  CHECK(std::string(name_of(SequenceType::tilt)) == "tilt");
  CHECK(static_cast<int>(SequenceType::scale) == kBenchmarkSequences - 1);
  CHECK(static_cast<int>(SequenceType::shear) == kAllSequences - 1);
  CHECK_THROWS_WITH_AS(sequence_named("rotat"), doctest::Contains("did you mean 'rotate'"), ConfigError);
  CHECK_THROWS_AS(sequence_named(""), ConfigError);
}

TEST_CASE("sequence: which types are noise") {
  std::set<SequenceType> noise;
  for (const auto type : all_types())
    if (is_noise(type)) noise.insert(type);
  CHECK(noise == std::set<SequenceType>{SequenceType::gaussian_noise, SequenceType::shot_noise,
                                        SequenceType::speckle_noise});
}

TEST_CASE("sequence: number of frames") {
  for (const auto set : kSets) {
    for (const auto type : all_types()) {
      int expected = 31;
      if (type == SequenceType::motion_blur && set == ParameterSet::cifar) expected = 21;
      if (type == SequenceType::translate)
        expected = set == ParameterSet::cifar ? 16 : set == ParameterSet::tiny_imagenet ? 31 : 41;
      CHECK(make_sequence(type, set)->frames() == expected);
    }
  }
}

TEST_CASE("sequence: mistakes are refused") {
  CHECK_THROWS_AS(make_sequence(SequenceType::snow, ParameterSet::cifar, 0), ConfigError);
  CHECK_THROWS_AS(make_sequence(SequenceType::gaussian_noise, ParameterSet::cifar, 4), ConfigError);
  const auto sequence = make_sequence(SequenceType::translate, ParameterSet::cifar);
  CHECK_THROWS_AS(sequence->start(Image(7, 32, 3), Key(1)), ShapeError);
  CHECK_THROWS_AS(sequence->start(Image(32, 32, 4), Key(1)), ShapeError);
  Image short_of_bytes(32, 32, 3);
  short_of_bytes.pixels.pop_back();
  CHECK_THROWS_AS(sequence->start(short_of_bytes, Key(1)), ShapeError);
  const auto stream = sequence->start(Image(8, 8, 1), Key(1));
  Image out;
  for (int i = 0; i < sequence->frames(); ++i) stream->next(out);
  CHECK_THROWS_AS(stream->next(out), ShapeError);
}

TEST_CASE("sequence: every type on small, odd, grey and coloured images; pure in image and key") {
  const Image images[] = {smooth_image(8, 8, 1, Key(1)), random_image(17, 33, 3, Key(2)),
                          smooth_image(33, 17, 1, Key(3))};
  for (const auto set : kSets) {
    for (const auto type : all_types()) {
      CAPTURE(name_of(type));
      const auto sequence = make_sequence(type, set);
      for (const Image& image : images) {
        const auto frames = frames_of(*sequence, image, Key(7));
        for (const Image& frame : frames) {
          CHECK(frame.height == image.height);
          CHECK(frame.width == image.width);
          CHECK(frame.channels == image.channels);
        }
        CHECK(frames == frames_of(*sequence, image, Key(7)));
        const bool draws = is_noise(type) || type == SequenceType::snow || type == SequenceType::spatter;
        if (image.width > 8) CHECK((frames == frames_of(*sequence, image, Key(8))) == !draws);
      }
    }
  }
}

TEST_CASE("sequence: streams do not depend on each other") {
  const Image a = smooth_image(16, 20, 3, Key(1)), b = random_image(12, 9, 3, Key(2));
  for (const auto type : all_types()) {
    CAPTURE(name_of(type));
    const auto sequence = make_sequence(type, ParameterSet::cifar);
    const auto of_a = frames_of(*sequence, a, Key(1)), of_b = frames_of(*sequence, b, Key(2));
    const auto first = sequence->start(a, Key(1));
    std::unique_ptr<FrameStream> second;
    Image out;  // of both streams, with pixels of the other one's size in it
    for (int i = 0; i < sequence->frames(); ++i) {
      if (i == 3) second = sequence->start(b, Key(2));
      first->next(out);
      CHECK(out == of_a[static_cast<std::size_t>(i)]);
      if (second == nullptr) continue;
      second->next(out);
      CHECK(out == of_b[static_cast<std::size_t>(i - 3)]);
    }
  }
}

TEST_CASE("sequence: difficulty changes the noise only") {
  const Image image = smooth_image(16, 16, 3, Key(1));
  for (const auto type : all_types()) {
    CAPTURE(name_of(type));
    const auto easy = frames_of(*make_sequence(type, ParameterSet::cifar, 1), image, Key(1));
    const auto hard = frames_of(*make_sequence(type, ParameterSet::cifar, 3), image, Key(1));
    CHECK((easy == hard) == !is_noise(type));
  }
}

TEST_CASE("sequence: images of ImageNet with a margin are cropped") {
  const Image large = smooth_image(256, 240, 1, Key(1));
  for (const auto type : {SequenceType::brightness, SequenceType::translate, SequenceType::gaussian_noise}) {
    CAPTURE(name_of(type));
    const auto stream = make_sequence(type, ParameterSet::imagenet)->start(large, Key(1));
    Image out;
    stream->next(out);
    CHECK(out.height == 224);
    CHECK(out.width == 210);
    if (type == SequenceType::gaussian_noise) CHECK(out.row(0)[0] == large.row(16)[15]);
    // Frame 0 is moved 20 pixels to the left: from the margin come 15 columns, the rest is black.
    if (type == SequenceType::translate) {
      CHECK(out.row(0)[0] == large.row(16)[35]);
      CHECK(out.row(5)[204] == large.row(21)[239]);
      CHECK(out.row(5)[205] == 0);
    }
  }
  Image out;
  make_sequence(SequenceType::rotate, ParameterSet::cifar)->start(large, Key(1))->next(out);
  CHECK(out.height == 256);
  const Image small = smooth_image(224, 260, 1, Key(1));
  make_sequence(SequenceType::rotate, ParameterSet::imagenet)->start(small, Key(1))->next(out);
  CHECK(out.width == 260);
}

TEST_CASE("sequence: the middle frame of brightness changes nothing but by rounding") {
  const Image image = random_image(9, 10, 1, Key(5));
  const auto frames = frames_of(*make_sequence(SequenceType::brightness, ParameterSet::cifar), image, Key(1));
  CHECK(difference(frames[15], image).largest <= 1);
}

// The perturbation sequences of CIFAR-P, Tiny-ImageNet-P and ImageNet-P: an image, changed a little more from
// frame to frame, made one frame at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "augment/corruptions/corruption.h"
#include "augment/image.h"
#include "engine/key.h"

namespace noisymix {

/// In the order of the benchmark, then the four extra ones.
enum class SequenceType {
  gaussian_noise,
  shot_noise,
  motion_blur,
  zoom_blur,
  snow,
  brightness,
  translate,
  rotate,
  tilt,
  scale,
  speckle_noise,
  gaussian_blur,
  spatter,
  shear,
};
inline constexpr int kBenchmarkSequences = 10, kAllSequences = 14, kSequenceDifficulties = 3;

/// The benchmark's name ("gaussian_noise").
const char* name_of(SequenceType type);
/// Throws ConfigError for an unknown name, with the nearest known one.
SequenceType sequence_named(std::string_view name);
/// Whether the frames are independent draws around a clean first frame, each to be compared with that one.
/// Frames of the others follow each other in time and are compared with the one before.
bool is_noise(SequenceType type);

/// The key of one image's frames, as corruption_key().
inline Key sequence_key(std::uint64_t seed, SequenceType type, int difficulty, std::int64_t index) {
  return Key(seed).child("sequence").child(std::string_view(name_of(type))).child(difficulty).child(index);
}

/// The frames of one image in order. Not for several threads at once; what it needs is allocated by
/// Sequence::start and the first frames.
class FrameStream {
 public:
  virtual ~FrameStream() = default;
  /// The i-th call writes frame i, which for noise is the clean image in frame 0. `out` keeps its memory.
  /// Throws ShapeError after the last frame.
  virtual void next(Image& out) = 0;
};

/// One type with the constants of one benchmark. Thread-safe; streams do not depend on each other.
class Sequence {
 public:
  virtual ~Sequence() = default;
  virtual int frames() const = 0;
  /// The frames are a pure function of image (grey or RGB, sides of 8 or more, copied) and key. Throws
  /// ShapeError for other images.
  virtual std::unique_ptr<FrameStream> start(const Image& image, Key key) const = 0;
};

/// What is left to choose besides type, constants and difficulty.
struct SequenceOptions {
  /// Rotation, scale and shear about the point half a pixel below and to the right of the centre, as by the
  /// library that made the published files of CIFAR-P. Newer versions of that library, and the default here,
  /// use the centre.
  bool legacy_centre = false;
};

/// The frames of a type. `difficulty` 1..3 picks one of three noise levels. For other types a harder variant
/// only compares frames that lie further apart, so the frames are the same.
///
/// Frames have the size of the image, but for ParameterSet::imagenet and images whose sides both exceed 224:
/// those become the central 7/8 of the image in height and width, 224 of 256. What moves pixels (translate,
/// rotate, tilt, scale, shear, zoom_blur) is applied to the whole image and then cropped, so that no black
/// border comes into view early; the others are applied to the crop.
///
/// Throws ConfigError unless 1 <= difficulty <= 3.
std::unique_ptr<Sequence> make_sequence(SequenceType type, ParameterSet set, int difficulty = 1,
                                        const SequenceOptions& options = {});

}  // namespace noisymix

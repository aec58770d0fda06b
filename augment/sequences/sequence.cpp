#include "augment/sequences/sequence.h"

#include <algorithm>
#include <string>
#include <vector>

#include "augment/image_ops.h"
#include "augment/sequences/families.h"
#include "engine/error.h"
#include "engine/nearest_name.h"

namespace noisymix {
namespace {

constexpr const char* kNames[kAllSequences] = {
    "gaussian_noise", "shot_noise",    "motion_blur", "zoom_blur", "snow",
    "brightness",     "translate",     "rotate",      "tilt",      "scale",
    "speckle_noise",  "gaussian_blur", "spatter",     "shear"};

constexpr int kSmallestSide = 8;

/// Whether a sequence of ParameterSet::imagenet crops its frames, instead of its image.
bool moves_pixels(SequenceType type) {
  switch (type) {
    case SequenceType::zoom_blur:
    case SequenceType::translate:
    case SequenceType::rotate:
    case SequenceType::tilt:
    case SequenceType::scale:
    case SequenceType::shear:
      return true;
    default:
      return false;
  }
}

bool has_margin(const Image& image) {
  return image.height > 224 && image.width > 224;
}

/// The central 224/256 of an image that has a margin.
void crop(const Image& image, Image& out) {
  const int height = image.height * 7 / 8, width = image.width * 7 / 8;
  const int top = (image.height - height) / 2, left = (image.width - width) / 2;
  set_shape(out, height, width, image.channels);
  for (int y = 0; y < height; ++y)
    std::copy_n(image.row(top + y) + left * image.channels, out.stride(), out.row(y));
}

class CroppedStream : public FrameStream {
 public:
  explicit CroppedStream(std::unique_ptr<FrameStream> whole) : whole_(std::move(whole)) {}
  void next(Image& out) override {
    whole_->next(frame_);
    crop(frame_, out);
  }

 private:
  std::unique_ptr<FrameStream> whole_;
  Image frame_;
};

/// Any sequence, with its image checked and its frames cropped where the benchmark has them cropped.
class Checked : public Sequence {
 public:
  enum class Crop { none, image, frames };
  Checked(std::unique_ptr<Sequence> sequence, Crop crop) : sequence_(std::move(sequence)), crop_(crop) {}
  int frames() const override { return sequence_->frames(); }
  std::unique_ptr<FrameStream> start(const Image& image, Key key) const override {
    NM_CHECK(image.height >= kSmallestSide && image.width >= kSmallestSide, "[sequence] an image of ",
             image.height, " x ", image.width, " pixels is too small: sides must be ", kSmallestSide,
             " or more");
    NM_CHECK(image.channels == 1 || image.channels == 3, "[sequence] an image of ", image.channels,
             " channels; expected 1 (grey) or 3 (RGB)");
    NM_CHECK(image.pixels.size() == static_cast<std::size_t>(image.height) * image.stride(),
             "[sequence] the image has ", image.pixels.size(), " bytes, not height x width x channels");
    if (crop_ == Crop::none || !has_margin(image)) return sequence_->start(image, key);
    if (crop_ == Crop::frames) return std::make_unique<CroppedStream>(sequence_->start(image, key));
    Image part;
    crop(image, part);
    return sequence_->start(part, key);
  }

 private:
  std::unique_ptr<Sequence> sequence_;
  Crop crop_;
};

std::unique_ptr<Sequence> make_unchecked(SequenceType type, ParameterSet set, int difficulty,
                                         const SequenceOptions& options) {
  switch (type) {
    case SequenceType::gaussian_noise:
    case SequenceType::shot_noise:
    case SequenceType::speckle_noise:
      return make_noise_sequence(type, set, difficulty);
    case SequenceType::motion_blur:
    case SequenceType::zoom_blur:
    case SequenceType::gaussian_blur:
      return make_blur_sequence(type, set);
    case SequenceType::snow:
      return make_snow_sequence(set);
    case SequenceType::brightness:
      return make_brightness_sequence(set);
    case SequenceType::spatter:
      return make_spatter_sequence(set);
    case SequenceType::tilt:
      return make_tilt_sequence(set);
    default:
      return make_geometry_sequence(type, set, options);
  }
}

}  // namespace

const char* name_of(SequenceType type) {
  return kNames[static_cast<std::size_t>(type)];
}

SequenceType sequence_named(std::string_view name) {
  for (int i = 0; i < kAllSequences; ++i)
    if (name == kNames[i]) return static_cast<SequenceType>(i);
  const std::string near = nearest_name(std::string(name), {std::begin(kNames), std::end(kNames)});
  fail<ConfigError>(
      "[sequence] unknown perturbation '", name, "'",
      near.empty() ? "; expected a name such as 'gaussian_noise'" : "; did you mean '" + near + "'?");
}

bool is_noise(SequenceType type) {
  return std::string_view(name_of(type)).find("noise") != std::string_view::npos;
}

std::unique_ptr<Sequence> make_sequence(SequenceType type, ParameterSet set, int difficulty,
                                        const SequenceOptions& options) {
  NM_CHECK_AS(ConfigError, difficulty >= 1 && difficulty <= kSequenceDifficulties, "[sequence] difficulty ",
              difficulty, " of ", name_of(type), "; expected 1 (easiest) to ", kSequenceDifficulties);
  const auto crop = set != ParameterSet::imagenet ? Checked::Crop::none
                    : moves_pixels(type)          ? Checked::Crop::frames
                                                  : Checked::Crop::image;
  return std::make_unique<Checked>(make_unchecked(type, set, difficulty, options), crop);
}

}  // namespace noisymix

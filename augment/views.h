// Which views of an image a training step sees: the first of a scheme's three choices.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "augment/augmix.h"
#include "augment/image.h"
#include "augment/image_steps.h"
#include "engine/key.h"

namespace noisymix {

/// Random crop (zero padding, top-left drawn row first) and horizontal flip with probability 1/2, drawn once
/// per image and shared by all its views.
struct CropFlipOptions {
  int padding = 4;  ///< 0 switches the crop off
  bool flip = true;
  bool flip_first = true;  ///< NoisyMix and AugMix flip before the crop, NFM after
};

/// What the views below do: `plain` copies of the crop/flip image, then `augmented` AugMix views of it.
struct ViewsPlan {
  CropFlipOptions crop_flip;
  AugMixOptions augmix;
  int plain = 1;
  int augmented = 0;
  Normalization normalization;
  int count() const { return plain + augmented; }
};

/// Turns one 8-bit image into count() normalised float views. Pure: the result depends on image and key
/// alone, so any thread may make any view.
class Views {
 public:
  virtual ~Views() = default;
  virtual int count() const = 0;
  /// {height, width, channels} of the views of an image of that shape; 0 x 0 stands for images that differ in
  /// size. Points pass through: {count}.
  virtual std::vector<std::int64_t> output_shape(const std::vector<std::int64_t>& sample) const {
    return sample;
  }
  /// Writes view v (height x width x channels floats of output_shape()) to outputs[v].
  virtual void make(const Image& image, Key key, const std::vector<float*>& outputs) const = 0;
  /// The same as numbers, for make_views() of device_views.h; none for views that only make() describes.
  virtual std::optional<ViewsPlan> plan() const { return std::nullopt; }
};

/// The views of a plan, made of the crop/flip image after `steps`; plan() is none when there are any. Throws
/// ConfigError when an option is out of range.
std::unique_ptr<Views> make_planned_views(const ViewsPlan& plan, const ImageSteps& steps = {});

/// The unaltered image, normalised: evaluation.
std::unique_ptr<Views> make_plain_views(const Normalization& normalization);

/// `count` equal copies of the crop/flip image.
std::unique_ptr<Views> make_crop_flip_views(const CropFlipOptions& crop_flip,
                                            const Normalization& normalization, int count = 1);

/// With `clean`: the crop/flip image followed by `augmented` independent AugMix views of it (NoisyMix: clean
/// + 2); without: the AugMix views alone.
std::unique_ptr<Views> make_augmix_views(const CropFlipOptions& crop_flip, const AugMixOptions& augmix,
                                         bool clean, int augmented, const Normalization& normalization);

/// What AugMax needs to search for its worst mixture: the crop/flip image after `steps`, one AugMix view of
/// it (that of make_augmix_views()), then the `augmix.width` chain outputs of an independent draw, unmixed. 2
/// + width views; the mixture of the last ones is found later, where the model is.
std::unique_ptr<Views> make_augmax_views(const CropFlipOptions& crop_flip, const AugMixOptions& augmix,
                                         const Normalization& normalization, const ImageSteps& steps = {});

}  // namespace noisymix

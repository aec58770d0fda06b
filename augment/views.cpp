#include "augment/views.h"

#include <algorithm>
#include <utility>

#include "augment/image_ops.h"
#include "augment/normalize.h"
#include "engine/error.h"

namespace noisymix {
namespace {

void check_crop_flip(const CropFlipOptions& options) {
  NM_CHECK_AS(ConfigError, options.padding >= 0, "[views] padding must not be negative, got ",
              options.padding);
}

/// The crop/flip image, in memory of this thread that lasts until its next call. Draws: "crop" block 0 the
/// row, block 1 the column; "flip" block 0.
const Image& crop_flip(const Image& image, Key key, const CropFlipOptions& options) {
  thread_local Image result, other;
  const Image* current = &image;
  const auto crop = [&] {
    if (options.padding == 0) return;
    const Key own = key.child("crop");
    const std::int64_t places = 2 * std::int64_t{options.padding} + 1;
    const int top = static_cast<int>(own.below(0, places)), left = static_cast<int>(own.below(1, places));
    pad_crop(*current, other, options.padding, top, left);
    std::swap(result, other);
    current = &result;
  };
  const auto flip = [&] {
    if (!options.flip || key.child("flip").uniform(0) >= 0.5) return;
    flip_horizontal(*current, other);
    std::swap(result, other);
    current = &result;
  };
  if (options.flip_first) {
    flip();
    crop();
  } else {
    crop();
    flip();
  }
  return *current;
}

void check_outputs(const std::vector<float*>& outputs, int count) {
  NM_CHECK(static_cast<int>(outputs.size()) == count, "[views] ", outputs.size(), " outputs for ", count,
           " views");
}

class PlainViews final : public Views {
 public:
  explicit PlainViews(const Normalization& normalization) : normalization_(normalization) {}
  int count() const override { return 1; }
  void make(const Image& image, Key, const std::vector<float*>& outputs) const override {
    check_outputs(outputs, 1);
    normalize(image, normalization_, outputs[0]);
  }

 private:
  Normalization normalization_;
};

class CropFlipViews final : public Views {
 public:
  CropFlipViews(const CropFlipOptions& options, const Normalization& normalization, int count)
      : options_(options), normalization_(normalization), count_(count) {}
  int count() const override { return count_; }
  void make(const Image& image, Key key, const std::vector<float*>& outputs) const override {
    check_outputs(outputs, count_);
    const Image& seen = crop_flip(image, key, options_);
    normalize(seen, normalization_, outputs[0]);
    for (std::size_t v = 1; v < outputs.size(); ++v) std::copy_n(outputs[0], seen.pixels.size(), outputs[v]);
  }

 private:
  CropFlipOptions options_;
  Normalization normalization_;
  int count_;
};

class AugMixViews final : public Views {
 public:
  AugMixViews(const CropFlipOptions& crop_flip_options, const AugMixOptions& augmix_options, bool clean,
              int augmented, const Normalization& normalization)
      : crop_flip_(crop_flip_options),
        augmix_(augmix_options),
        normalization_(normalization),
        clean_(clean),
        augmented_(augmented) {}
  int count() const override { return augmented_ + (clean_ ? 1 : 0); }
  void make(const Image& image, Key key, const std::vector<float*>& outputs) const override {
    check_outputs(outputs, count());
    const Image& seen = crop_flip(image, key, crop_flip_);
    std::size_t v = 0;
    if (clean_) normalize(seen, normalization_, outputs[v++]);
    const Key own = key.child("augmix");
    for (std::int64_t i = 1; i <= augmented_; ++i)
      augmix(seen, own.child(i), augmix_, normalization_, outputs[v++]);
  }

 private:
  CropFlipOptions crop_flip_;
  AugMixOptions augmix_;
  Normalization normalization_;
  bool clean_;
  int augmented_;
};

}  // namespace

std::unique_ptr<Views> make_plain_views(const Normalization& normalization) {
  return std::make_unique<PlainViews>(normalization);
}

std::unique_ptr<Views> make_crop_flip_views(const CropFlipOptions& crop_flip,
                                            const Normalization& normalization, int count) {
  check_crop_flip(crop_flip);
  NM_CHECK_AS(ConfigError, count >= 1, "[views] count must be at least 1, got ", count);
  return std::make_unique<CropFlipViews>(crop_flip, normalization, count);
}

std::unique_ptr<Views> make_augmix_views(const CropFlipOptions& crop_flip, const AugMixOptions& augmix,
                                         bool clean, int augmented, const Normalization& normalization) {
  check_crop_flip(crop_flip);
  check_augmix(augmix);
  NM_CHECK_AS(ConfigError, augmented >= 0 && (clean || augmented >= 1), "[views] ", augmented,
              " augmented views without the clean one");
  return std::make_unique<AugMixViews>(crop_flip, augmix, clean, augmented, normalization);
}

}  // namespace noisymix

#include "augment/views.h"

#include <algorithm>
#include <utility>

#include "augment/crop_flip.h"
#include "augment/image_ops.h"
#include "augment/normalize.h"
#include "engine/error.h"

namespace noisymix {
namespace {

/// The crop/flip image, in memory of this thread that lasts until its next call.
const Image& crop_flip(const Image& image, Key key, const CropFlipOptions& options) {
  thread_local Image result, other;
  const CropFlipDraw draw = draw_crop_flip(options, key);
  const Image* current = &image;
  const auto crop = [&] {
    if (options.padding == 0) return;
    pad_crop(*current, other, options.padding, draw.top, draw.left);
    std::swap(result, other);
    current = &result;
  };
  const auto flip = [&] {
    if (!draw.flip) return;
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

class PlannedViews final : public Views {
 public:
  PlannedViews(const ViewsPlan& plan, const ImageSteps& steps) : plan_(plan), steps_(steps) {}
  int count() const override { return plan_.count(); }
  std::optional<ViewsPlan> plan() const override {
    return steps_.any() ? std::nullopt : std::optional(plan_);
  }
  void make(const Image& image, Key key, const std::vector<float*>& outputs) const override {
    NM_CHECK(static_cast<int>(outputs.size()) == count(), "[views] ", outputs.size(), " outputs for ",
             count(), " views");
    const Image& seen = apply_image_steps(steps_, crop_flip(image, key, plan_.crop_flip), key);
    const auto plain = static_cast<std::size_t>(plan_.plain);
    if (plain > 0) normalize(seen, plan_.normalization, outputs[0]);
    for (std::size_t v = 1; v < plain; ++v) std::copy_n(outputs[0], seen.pixels.size(), outputs[v]);
    const Key own = key.child("augmix");
    for (std::size_t v = plain; v < outputs.size(); ++v)
      augmix(seen, own.child(static_cast<std::int64_t>(v - plain + 1)), plan_.augmix, plan_.normalization,
             outputs[v]);
  }

 private:
  ViewsPlan plan_;
  ImageSteps steps_;
};

class AugMaxViews final : public Views {
 public:
  AugMaxViews(const ViewsPlan& plan, const ImageSteps& steps) : plan_(plan), steps_(steps) {}
  int count() const override { return 2 + plan_.augmix.width; }
  void make(const Image& image, Key key, const std::vector<float*>& outputs) const override {
    NM_CHECK(static_cast<int>(outputs.size()) == count(), "[views] ", outputs.size(), " outputs for ",
             count(), " views");
    thread_local AugMixDraw draw;
    thread_local Image result, spare;
    const Image& seen = apply_image_steps(steps_, crop_flip(image, key, plan_.crop_flip), key);
    normalize(seen, plan_.normalization, outputs[0]);
    augmix(seen, key.child("augmix").child(1), plan_.augmix, plan_.normalization, outputs[1]);
    draw_augmix(plan_.augmix, key.child("augmax"), draw);
    for (std::size_t i = 0; i < draw.chains.size(); ++i) {
      run_chain(seen, draw.chains[i], result, spare);
      normalize(result, plan_.normalization, outputs[2 + i]);
    }
  }

 private:
  ViewsPlan plan_;
  ImageSteps steps_;
};

void check_settings(const ViewsPlan& plan, const ImageSteps& steps) {
  NM_CHECK_AS(ConfigError, plan.crop_flip.padding >= 0, "[views] padding must not be negative, got ",
              plan.crop_flip.padding);
  check_augmix(plan.augmix);
  check_image_steps(steps);
}

}  // namespace

std::unique_ptr<Views> make_planned_views(const ViewsPlan& plan, const ImageSteps& steps) {
  check_settings(plan, steps);
  NM_CHECK_AS(ConfigError, plan.plain >= 0 && plan.augmented >= 0 && plan.count() >= 1, "[views] ",
              plan.plain, " plain and ", plan.augmented, " augmented views, expected at least one");
  return std::make_unique<PlannedViews>(plan, steps);
}

std::unique_ptr<Views> make_plain_views(const Normalization& normalization) {
  ViewsPlan plan;
  plan.crop_flip = {.padding = 0, .flip = false};
  plan.normalization = normalization;
  return make_planned_views(plan);
}

std::unique_ptr<Views> make_crop_flip_views(const CropFlipOptions& crop_flip,
                                            const Normalization& normalization, int count) {
  NM_CHECK_AS(ConfigError, count >= 1, "[views] count must be at least 1, got ", count);
  ViewsPlan plan;
  plan.crop_flip = crop_flip;
  plan.plain = count;
  plan.normalization = normalization;
  return make_planned_views(plan);
}

std::unique_ptr<Views> make_augmix_views(const CropFlipOptions& crop_flip, const AugMixOptions& augmix,
                                         bool clean, int augmented, const Normalization& normalization) {
  NM_CHECK_AS(ConfigError, augmented >= 0 && (clean || augmented >= 1), "[views] ", augmented,
              " augmented views without the clean one");
  return make_planned_views({crop_flip, augmix, clean ? 1 : 0, augmented, normalization});
}

std::unique_ptr<Views> make_augmax_views(const CropFlipOptions& crop_flip, const AugMixOptions& augmix,
                                         const Normalization& normalization, const ImageSteps& steps) {
  const ViewsPlan plan{crop_flip, augmix, 1, 1, normalization};
  check_settings(plan, steps);
  return std::make_unique<AugMaxViews>(plan, steps);
}

}  // namespace noisymix

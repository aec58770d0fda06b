#include "augment/resized_crop.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "augment/image_ops.h"
#include "engine/error.h"

namespace noisymix {
namespace {

constexpr int kTries = 10;
constexpr double kNarrowest = 3.0 / 4, kWidest = 4.0 / 3;  // width over height

/// Half to even, as the reference rounds.
int rounded(double value) {
  return static_cast<int>(std::nearbyint(value));
}

PixelBox centre_box(int height, int width) {
  const double aspect = static_cast<double>(width) / height;
  PixelBox box{.height = height, .width = width};
  if (aspect < kNarrowest) box.height = std::clamp(rounded(width / kNarrowest), 1, height);
  if (aspect > kWidest) box.width = std::clamp(rounded(height * kWidest), 1, width);
  box.top = (height - box.height) / 2;
  box.left = (width - box.width) / 2;
  return box;
}

class ResizedCropViews final : public Views {
 public:
  ResizedCropViews(const ResizedCropOptions& options, std::unique_ptr<Views> inner)
      : options_(options), inner_(std::move(inner)) {}
  int count() const override { return inner_->count(); }
  std::vector<std::int64_t> output_shape(const std::vector<std::int64_t>& sample) const override {
    return {options_.side, options_.side, sample.back()};
  }
  void make(const Image& image, Key key, const std::vector<float*>& outputs) const override {
    thread_local Image crop, mirrored;
    thread_local Scratch scratch;
    const PixelBox box = draw_resized_crop(image.height, image.width, options_.area_low, key.child("crop"));
    bilinear_resize(image, box, options_.side, options_.side, scratch, crop);
    const bool flip = options_.flip && key.child("flip").uniform(0) < 0.5;
    if (flip) flip_horizontal(crop, mirrored);
    inner_->make(flip ? mirrored : crop, key, outputs);
  }

 private:
  ResizedCropOptions options_;
  std::unique_ptr<Views> inner_;
};

}  // namespace

PixelBox draw_resized_crop(int height, int width, double area_low, Key key) {
  NM_CHECK(height >= 1 && width >= 1, "[resized crop] image of ", height, "x", width, ", expected pixels");
  const Key areas = key.child("area"), aspects = key.child("aspect");
  const double whole = static_cast<double>(height) * width;
  for (std::uint64_t t = 0; t < kTries; ++t) {
    const double area = whole * (area_low + (1 - area_low) * areas.uniform(t));
    const double low = std::log(kNarrowest), high = std::log(kWidest);
    const double aspect = std::exp(low + (high - low) * aspects.uniform(t));
    const int w = rounded(std::sqrt(area * aspect)), h = rounded(std::sqrt(area / aspect));
    if (w < 1 || h < 1 || w > width || h > height) continue;
    return {.top = static_cast<int>(key.child("row").below(0, height - h + 1)),
            .left = static_cast<int>(key.child("column").below(0, width - w + 1)),
            .height = h,
            .width = w};
  }
  return centre_box(height, width);
}

std::unique_ptr<Views> make_resized_crop_views(const ResizedCropOptions& options,
                                               std::unique_ptr<Views> inner) {
  NM_CHECK_AS(ConfigError, inner != nullptr, "[views] a resized crop needs views to make of it");
  NM_CHECK_AS(ConfigError, options.side >= 1 && options.side <= 4096, "[views] side of the resized crop is ",
              options.side, ", expected 1 to 4096");
  NM_CHECK_AS(ConfigError, options.area_low > 0 && options.area_low <= 1,
              "[views] smallest area of the resized crop is ", options.area_low,
              ", expected more than 0, at most 1");
  return std::make_unique<ResizedCropViews>(options, std::move(inner));
}

}  // namespace noisymix

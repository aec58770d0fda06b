#include "augment/mixing/cutmix.h"

#include <algorithm>
#include <cmath>

#include "engine/error.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/gather.h"

namespace noisymix {
namespace {

/// First and last of `length` pixels, of which at most `side` lie around the centre.
struct Interval {
  std::int64_t begin, end;
};

Interval around(std::int64_t centre, std::int64_t side, std::int64_t length) {
  // side / 2 on both sides, as in the published code: an odd side loses one pixel.
  return {std::max<std::int64_t>(centre - side / 2, 0), std::min(centre + side / 2, length)};
}

/// 1 inside the box, [1, h, w, 1].
Tensor box_mask(const CutBox& box, std::int64_t height, std::int64_t width, Device device) {
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(height * width));
  for (std::int64_t y = box.top; y < box.bottom; ++y)
    std::fill_n(mask.begin() + y * width + box.left, box.right - box.left, std::uint8_t{1});
  return Tensor::from(mask, {1, height, width, 1}, device);
}

}  // namespace

CutMixDraw draw_cutmix(const CutMixOptions& options, std::int64_t batch, std::int64_t height,
                       std::int64_t width, Key key) {
  NM_CHECK_AS(ConfigError, options.probability >= 0 && options.probability <= 1,
              "[cutmix] probability must be in [0, 1], got ", options.probability);
  NM_CHECK_AS(ConfigError, options.alpha >= 0 && std::isfinite(options.alpha),
              "[cutmix] alpha must be a number of at least 0, got ", options.alpha);
  NM_CHECK(batch >= 0 && height >= 1 && width >= 1, "[cutmix] expects images of at least one pixel, got ",
           batch, " of ", height, " x ", width);
  CutMixDraw draw;
  if (key.child("active").uniform(0) >= options.probability) return draw;
  draw.active = true;
  if (options.alpha == 0) return draw;
  const double lambda = Draws(key.child("lambda")).beta(options.alpha, options.alpha);
  const double ratio = std::sqrt(1 - lambda);
  const Key centre = key.child("centre");
  const Interval rows =
      around(centre.below(0, height), static_cast<std::int64_t>(static_cast<double>(height) * ratio), height);
  const Interval columns =
      around(centre.below(1, width), static_cast<std::int64_t>(static_cast<double>(width) * ratio), width);
  const CutBox box{rows.begin, rows.end, columns.begin, columns.end};
  if (box.area() == 0) return draw;
  draw.box = box;
  draw.permutation = permutation(key.child("permutation"), batch);
  draw.lambda = 1 - static_cast<double>(box.area()) / static_cast<double>(height * width);
  return draw;
}

Tensor apply_cutmix(const CutMixDraw& draw, const Tensor& images, std::int64_t views) {
  NM_CHECK(images.defined() && images.rank() == 4, "[cutmix] expects images [views * b, h, w, c], got ",
           images.defined() ? "shape " + images.shape().str() : "an undefined tensor");
  if (draw.permutation.empty()) return images;
  const auto batch = static_cast<std::int64_t>(draw.permutation.size());
  NM_CHECK(views >= 1 && images.dim(0) == views * batch, "[cutmix] the draw is for ", views, " views of ",
           batch, " images, got ", images.dim(0), " images");
  NM_CHECK(draw.box.bottom <= images.dim(1) && draw.box.right <= images.dim(2),
           "[cutmix] the draw's box ends at ", draw.box.bottom, " x ", draw.box.right,
           ", outside of images of shape ", images.shape());
  std::vector<std::int64_t> partners;
  for (std::int64_t view = 0; view < views; ++view)
    for (const std::int64_t partner : draw.permutation) partners.push_back(view * batch + partner);
  const Tensor rows = Tensor::from(partners, {images.dim(0)}, images.device());
  const Tensor mask = box_mask(draw.box, images.dim(1), images.dim(2), images.device());
  return where(mask, index_select(images, rows), images);
}

}  // namespace noisymix

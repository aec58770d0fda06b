#include "augment/perturbations/gaussian.h"

#include <cmath>
#include <vector>

#include "engine/autograd.h"
#include "engine/ops/concat.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/mix_noise.h"
#include "engine/ops/random.h"

namespace noisymix {
namespace {

void check(const Tensor& images, const GaussianOptions& options) {
  NM_CHECK(images.defined() && images.rank() >= 2,
           "[gaussian_copies] expects images [b, h, w, c] or points [b, n]");
  NM_CHECK_AS(ConfigError, std::isfinite(options.noise) && options.noise >= 0,
              "[gaussian_copies] the noise must be a number of at least 0, got ", options.noise);
  NM_CHECK_AS(ConfigError, options.copies >= 1, "[gaussian_copies] expects at least one copy, got ",
              options.copies);
  NM_CHECK_AS(ConfigError, options.keep_share >= 0 && options.keep_share <= 1,
              "[gaussian_copies] the share of entries with noise is in [0, 1], got ", options.keep_share);
}

/// 1 where a pixel has noise, [images, h, w, 1].
Tensor pixel_mask(const Tensor& copies, double keep_share, Key key) {
  NM_CHECK(copies.rank() == 4, "[gaussian_copies] a mask of pixels needs images [b, h, w, c], got ",
           copies.shape());
  const Shape shape{copies.dim(0), copies.dim(1), copies.dim(2), 1};
  const Tensor drawn = random_uniform(shape, key, 0, 1, copies.dtype(), copies.device());
  // 1 below the share and 0 from it on: a difference of at least one rounding unit, stretched and clamped.
  return clamp(mul(add(neg(drawn), keep_share), 0x1p60), 0, 1);
}

}  // namespace

Tensor gaussian_copies(const Tensor& images, const GaussianOptions& options, Key key) {
  check(images, options);
  const NoGrad unrecorded;
  const std::int64_t count = images.dim(0);
  std::vector<ViewNoise> noise;  // the op's "view" is one image here: a level and a key for each
  noise.reserve(static_cast<std::size_t>(options.copies * count));
  const bool by_pixel = options.mask == MaskUnit::pixel && options.keep_share < 1;
  for (int k = 0; k < options.copies; ++k) {
    for (std::int64_t i = 0; i < count; ++i) {
      const Key own = key.child(k).child(i);
      const double level = options.diverse ? options.noise * own.child("level").uniform(0) : options.noise;
      noise.push_back(
          {.add = level, .sparse = by_pixel ? 0 : 1 - options.keep_share, .key = own.child("elements")});
    }
  }
  const Tensor copies =
      concat(std::vector<Tensor>(static_cast<std::size_t>(options.copies), images.detach()));
  if (count == 0) return copies;
  if (!by_pixel) return mix_noise(copies, 1, {}, noise);
  const Tensor entries = mix_noise(zeros_like(copies), 1, {}, noise);
  return add(copies, mul(entries, pixel_mask(copies, options.keep_share, key.child("mask"))));
}

}  // namespace noisymix

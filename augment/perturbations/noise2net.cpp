#include "augment/perturbations/noise2net.h"

#include <cmath>

#include "augment/perturbations/noise2net_passes.h"
#include "engine/autograd.h"
#include "engine/error.h"
#include "engine/ops/concat.h"

namespace noisymix {

Tensor noise2net(const Tensor& images, const Noise2NetOptions& options, Key weights_key, Key structure_key) {
  NM_CHECK_AS(ConfigError, options.ratio >= 0 && options.ratio <= 1,
              "[noise2net] ratio must be in [0, 1], got ", options.ratio);
  NM_CHECK_AS(ConfigError, options.epsilon >= 0 && std::isfinite(options.epsilon),
              "[noise2net] epsilon must be a number of at least 0, got ", options.epsilon);
  NM_CHECK_AS(ConfigError, options.hidden >= 1 && options.hidden <= 1024,
              "[noise2net] hidden must be in 1 .. 1024, got ", options.hidden);
  NM_CHECK(images.defined() && images.rank() == 4 && is_floating(images.dtype()),
           "[noise2net] expects floating images [b, h, w, c], got ",
           images.defined() ? "shape " + images.shape().str() : "an undefined tensor");
  const NoGrad unrecorded;
  const std::int64_t batch = images.dim(0);
  const auto count = static_cast<std::int64_t>(options.ratio * static_cast<double>(batch));
  if (count == 0) return images.detach();
  NM_CHECK(images.dim(1) * images.dim(2) > 1 && images.dim(3) >= 1,
           "[noise2net] needs more than one pixel for its statistics, got shape ", images.shape());

  const Noise2NetStructure structure = draw_noise2net_structure(images.dim(3), options.hidden, structure_key);
  const double epsilon = options.epsilon * (1 + weights_key.child("epsilon").uniform(0)) / 2;
  const Key weights = weights_key.child("weights");
  const Tensor first = images.detach().rows(0, count);
  const Tensor wide =
      first.dtype() == Dtype::bf16 ? first.to(Dtype::f32) : first;  // few products, small ones
  const bool by_image = wide.device().is_cpu() && wide.dtype() == Dtype::f32;
  const Tensor changed = by_image ? noise2net_by_image(wide, structure, epsilon, weights)
                                  : noise2net_with_ops(wide, structure, epsilon, weights);
  if (count == batch) return changed.to(images.dtype());
  return concat({changed.to(images.dtype()), images.detach().rows(count, batch)});
}

}  // namespace noisymix

// Normalisation of each sample by itself.
#pragma once

#include "engine/host_device.h"
#include "engine/tensor.h"

namespace noisymix {

/// Normalises the last weight.rank() axes of x by their mean and biased variance; weight and bias have their shape.
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double epsilon = 1e-5);

/// x [n, ..., c]: normalises each sample and group of c / groups channels; weight and bias [c].
Tensor group_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, std::int64_t groups,
                  double epsilon = 1e-5);

/// For the kernels, both norms in one view: x is [samples, positions, groups, width], every (sample, group) is
/// normalised, and weight and bias are [groups * width]. Layer norm has one position and one group.
struct NormPlan {
  std::int64_t samples = 1, positions = 1, groups = 1, width = 1;
  double epsilon = 0;

  NM_HOST_DEVICE std::int64_t channels() const { return groups * width; }
  std::int64_t sets() const { return samples * groups; }
  /// Elements normalised together.
  std::int64_t count() const { return positions * width; }
  /// First element of a set; its runs of `width` elements are channels() apart.
  std::int64_t start(std::int64_t set) const {
    return set / groups * positions * channels() + set % groups * width;
  }
};

namespace cuda {
void layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, Tensor& y, Tensor& statistics,
                const NormPlan& plan);
void layer_norm_grad(const Tensor& dy, const Tensor& x, const Tensor& weight, const Tensor& statistics, Tensor& dx,
                     const NormPlan& plan);
void layer_norm_parameter_grad(const Tensor& dy, const Tensor& x, const Tensor& statistics, Tensor& dweight,
                               Tensor& dbias, const NormPlan& plan);
}  // namespace cuda

}  // namespace noisymix

// Jensen-Shannon consistency of V views with its closed-form gradient.
#pragma once

#include "engine/tensor.h"

namespace noisymix {

/// logits [views * b, k], the views one after another. JS = (1/V) sum_v KL(p_v || m), m = clamp(mean_v p_v,
/// floor, 1), averaged over b. The gradient flows through every view and through m, except where m was
/// clamped. Scalar result.
Tensor jensen_shannon(const Tensor& logits, std::int64_t views, double floor = 1e-7);

// --- Kernels -----------------------------------------------------------------------------------------------

namespace cuda {
void jensen_shannon(const Tensor& logits, Tensor& log_probabilities, Tensor& y, std::int64_t views,
                    double floor);
void jensen_shannon_grad(const Tensor& dy, const Tensor& log_probabilities, Tensor& dx, std::int64_t views,
                         double floor);
}  // namespace cuda

}  // namespace noisymix

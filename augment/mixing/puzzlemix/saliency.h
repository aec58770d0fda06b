// How much each pixel matters to a loss: the length of its gradient.
#pragma once

#include "augment/attacks.h"
#include "engine/tensor.h"

namespace noisymix {

/// sqrt(mean over channels of gradient^2): [n, h, w, c] -> [n, h, w], on the gradient's device, f32 or f64.
/// Not recorded.
Tensor saliency_of_gradient(const Tensor& gradient);

/// The same of the gradient of a scalar loss at images x [n, h, w, c]; parameters receive nothing. PuzzleMix
/// takes the cross-entropy of the unmixed batch with the model in evaluation mode.
Tensor input_saliency(const AttackLoss& loss_of, const Tensor& x);

}  // namespace noisymix

// Rectangular parts and borders.
#pragma once

#include <vector>

#include "engine/tensor.h"

namespace noisymix {

/// start, start + step, ... below stop; 0 <= start <= stop <= size, step >= 1.
struct Range {
  std::int64_t start, stop, step = 1;
};

/// One range per axis (missing trailing ranges mean the whole axis). Copies.
Tensor slice(const Tensor& x, const std::vector<Range>& ranges);

enum class PadMode { constant, reflect, replicate };

/// x [n, h, w, c] with borders added; reflect does not repeat the edge, and needs borders smaller than the
/// size.
struct Padding {
  std::int64_t left = 0, right = 0, top = 0, bottom = 0;
};
Tensor pad2d(const Tensor& x, const Padding& padding, PadMode mode = PadMode::constant, double value = 0);

/// For the kernels: how an image is padded.
struct PadPlan {
  Padding padding;
  PadMode mode;
};

namespace cuda {
void pad2d(const Tensor& x, Tensor& y, const PadPlan& plan, double value);
void pad2d_grad(const Tensor& dy, Tensor& dx, const PadPlan& plan);
}  // namespace cuda

}  // namespace noisymix

// Spatial pooling of NHWC feature maps.
#pragma once

#include "engine/tensor.h"

namespace noisymix {

struct Pool2dOptions {
  std::int64_t kernel_h = 2, kernel_w = 2;
  std::int64_t stride_h = 2, stride_w = 2;
  std::int64_t padding_h = 0, padding_w = 0;
  bool ceil_mode = false;
  bool count_include_pad = true;  ///< average only: padding counts as zeros in the divisor

  static Pool2dOptions square(std::int64_t kernel, std::int64_t stride, std::int64_t padding = 0) {
    return {kernel, kernel, stride, stride, padding, padding, false, true};
  }
};

/// x [n, h, w, c] -> [n, ho, wo, c].
Tensor avg_pool2d(const Tensor& x, const Pool2dOptions& options);
/// The first largest element of a window gets the gradient; padding never wins.
Tensor max_pool2d(const Tensor& x, const Pool2dOptions& options);
/// Pools to exactly [n, out_h, out_w, c] with windows floor(i h / out_h) .. ceil((i + 1) h / out_h).
Tensor adaptive_avg_pool2d(const Tensor& x, std::int64_t out_h, std::int64_t out_w);
Tensor adaptive_max_pool2d(const Tensor& x, std::int64_t out_h, std::int64_t out_w);
/// Mean over height and width: [n, h, w, c] -> [n, c].
Tensor global_avg_pool2d(const Tensor& x);

}  // namespace noisymix

// Spatial pooling of NHWC feature maps.
#pragma once

#include "engine/host_device.h"
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

// --- Kernels -----------------------------------------------------------------------------------------------

/// The windows along one spatial axis: evenly strided ones, or adaptive ones when kernel is 0.
struct PoolAxis {
  std::int64_t in, out;
  std::int64_t kernel = 0, stride = 0, padding = 0;

  struct Window {
    std::int64_t begin, end;  ///< inside the input
    std::int64_t padded;      ///< size including padding, but never beyond the padded input
  };
  NM_HOST_DEVICE Window window(std::int64_t o) const {
    if (kernel == 0) {
      const std::int64_t begin = o * in / out, end = ((o + 1) * in + out - 1) / out;
      return {begin, end, end - begin};
    }
    const std::int64_t start = o * stride - padding;
    const std::int64_t stop = start + kernel < in + padding ? start + kernel : in + padding;
    return {start > 0 ? start : 0, stop < in ? stop : in, stop - start};
  }
  /// Outputs first..last are the only ones whose windows may cover input i; not all of them must.
  NM_HOST_DEVICE void covering(std::int64_t i, std::int64_t& first, std::int64_t& last) const {
    if (kernel == 0) {
      first = i * out / in - 1;
      last = (i + 1) * out / in + 1;
    } else {
      first = (i + padding - kernel) / stride;
      last = (i + padding) / stride;
    }
    if (first < 0) first = 0;
    if (last > out - 1) last = out - 1;
  }
};

struct PoolPlan {
  PoolAxis rows, columns;
  std::int64_t channels = 0;
  bool count_padding = true;

  using Window = PoolAxis::Window;
  /// Elements an average divides by.
  NM_HOST_DEVICE std::int64_t divisor(const Window& row, const Window& column) const {
    return count_padding ? row.padded * column.padded : (row.end - row.begin) * (column.end - column.begin);
  }
};

namespace cuda {
void avg_pool2d(const Tensor& x, Tensor& y, const PoolPlan& plan);
void avg_pool2d_grad(const Tensor& dy, Tensor& dx, const PoolPlan& plan);
void max_pool2d(const Tensor& x, Tensor& y, Tensor& winners, const PoolPlan& plan);
void max_pool2d_grad(const Tensor& dy, const Tensor& winners, Tensor& dx, const PoolPlan& plan);
}  // namespace cuda

}  // namespace noisymix

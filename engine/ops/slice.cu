#include "engine/ops/slice.h"

#include "engine/cuda/parts.h"

namespace noisymix::cuda {
namespace {

/// Along one axis of `size` with `before` and `after` more: where padded position i comes from; -1 is the
/// border.
struct Side {
  std::int64_t size, before, after;
  PadMode mode;

  __device__ std::int64_t source(std::int64_t position) const {
    const std::int64_t i = position - before;
    if (i >= 0 && i < size) return i;
    if (mode == PadMode::constant) return -1;
    if (mode == PadMode::replicate) return i < 0 ? 0 : size - 1;
    return i < 0 ? -i : 2 * (size - 1) - i;
  }

  /// The padded positions that show position i of the image, ascending: maybe one mirrored at the beginning,
  /// a range, maybe one mirrored at the end.
  struct Shown {
    std::int64_t first, count;
    bool low, high;
    std::int64_t at_low, at_high;
    __device__ std::int64_t positions() const { return count + low + high; }
    __device__ std::int64_t position(std::int64_t k) const {
      k -= low;
      return k < 0 ? at_low : k < count ? first + k : at_high;
    }
  };
  __device__ Shown shown(std::int64_t i) const {
    Shown result{before + i, 1, false, false, 0, 0};
    if (mode == PadMode::replicate) {
      if (i == 0) result = {0, before + 1, false, false, 0, 0};
      if (i == size - 1) result.count += after;
    } else if (mode == PadMode::reflect) {
      result.low = i >= 1 && i <= before;
      result.at_low = before - i;
      result.high = i <= size - 2 && i >= size - 1 - after;
      result.at_high = before + 2 * (size - 1) - i;
    }
    return result;
  }
};

/// N channels of one pixel of y a thread.
template <int N, typename T>
__global__ void pad_kernel(const T* __restrict__ x, T* __restrict__ y, std::int64_t images,
                           std::int64_t channels, Side rows, Side columns, T border) {
  const std::int64_t ho = rows.before + rows.size + rows.after,
                     wo = columns.before + columns.size + columns.after;
  const std::int64_t packs = channels / N;
  NM_FOR_EACH(i, images * ho * wo * packs) {
    const std::int64_t pixel = i / packs, c = (i - pixel * packs) * N;
    const std::int64_t line = pixel / wo, image = line / ho;
    const std::int64_t row = rows.source(line - image * ho), column = columns.source(pixel - line * wo);
    Pack<T, N> out;
    if (row >= 0 && column >= 0) {
      out = load_pack<N>(x + ((image * rows.size + row) * columns.size + column) * channels + c);
    } else {
#pragma unroll
      for (int k = 0; k < N; ++k) out.at[k] = border;
    }
    store_pack<N>(y + i * N, out);
  }
}

/// N channels of one pixel of dx a thread, which sums the dy pixels that show it in a fixed order.
template <int N, typename T>
__global__ void pad_grad_kernel(const T* __restrict__ dy, T* __restrict__ dx, std::int64_t images,
                                std::int64_t channels, Side rows, Side columns) {
  const std::int64_t ho = rows.before + rows.size + rows.after,
                     wo = columns.before + columns.size + columns.after;
  const std::int64_t packs = channels / N;
  NM_FOR_EACH(i, images * rows.size * columns.size * packs) {
    const std::int64_t pixel = i / packs, c = (i - pixel * packs) * N;
    const std::int64_t line = pixel / columns.size, image = line / rows.size;
    const Side::Shown in_rows = rows.shown(line - image * rows.size);
    const Side::Shown in_columns = columns.shown(pixel - line * columns.size);
    compute_t<T> sum[N] = {};
    for (std::int64_t r = 0; r < in_rows.positions(); ++r)
      for (std::int64_t s = 0; s < in_columns.positions(); ++s) {
        const std::int64_t from = (image * ho + in_rows.position(r)) * wo + in_columns.position(s);
        const Pack<T, N> part = load_pack<N>(dy + from * channels + c);
#pragma unroll
        for (int k = 0; k < N; ++k) sum[k] += value_of(part.at[k]);
      }
    Pack<T, N> out;
#pragma unroll
    for (int k = 0; k < N; ++k) out.at[k] = T(sum[k]);
    store_pack<N>(dx + i * N, out);
  }
}

Side rows_of(const Tensor& image, const PadPlan& plan) {
  return {image.dim(1), plan.padding.top, plan.padding.bottom, plan.mode};
}
Side columns_of(const Tensor& image, const PadPlan& plan) {
  return {image.dim(2), plan.padding.left, plan.padding.right, plan.mode};
}

}  // namespace

void pad2d(const Tensor& x, Tensor& y, const PadPlan& plan, double value) {
  if (y.numel() == 0) return;
  dispatch_all(x.dtype(), [&]<typename T>() {
    constexpr int n = kPack<T>;
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    const bool packed = x.dim(3) % n == 0 && packable(from, to);
    const T border = T(static_cast<compute_t<T>>(value));
    launch(packed ? pad_kernel<n, T> : pad_kernel<1, T>, blocks_for(y.numel() / (packed ? n : 1)), kBlock,
           from, to, x.dim(0), x.dim(3), rows_of(x, plan), columns_of(x, plan), border);
  });
}

void pad2d_grad(const Tensor& dy, Tensor& dx, const PadPlan& plan) {
  if (dx.numel() == 0) return;
  dispatch_floating("pad2d", dy.dtype(), [&]<typename T>() {
    constexpr int n = kPack<T>;
    const T* from = dy.data<T>();
    T* to = dx.mutable_data<T>();
    const bool packed = dx.dim(3) % n == 0 && packable(from, to);
    launch(packed ? pad_grad_kernel<n, T> : pad_grad_kernel<1, T>, blocks_for(dx.numel() / (packed ? n : 1)),
           kBlock, from, to, dx.dim(0), dx.dim(3), rows_of(dx, plan), columns_of(dx, plan));
  });
}

}  // namespace noisymix::cuda

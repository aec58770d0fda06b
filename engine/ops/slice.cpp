#include "engine/ops/slice.h"

#include <algorithm>

#include "engine/autograd.h"
#include "engine/cpu/parallel.h"
#include "engine/kernel.h"
#include "engine/ops/strided_copy.h"

namespace noisymix {
namespace cpu {
namespace {

constexpr std::int64_t kGrain = 1 << 15;  // elements per parallel chunk

/// Where each position of a padded axis comes from; -1 is the constant border.
std::vector<std::int64_t> border_sources(std::int64_t size, std::int64_t before, std::int64_t after,
                                         PadMode mode) {
  std::vector<std::int64_t> sources;
  for (std::int64_t i = -before; i < size + after; ++i) {
    if (i >= 0 && i < size)
      sources.push_back(i);
    else if (mode == PadMode::constant)
      sources.push_back(-1);
    else if (mode == PadMode::replicate)
      sources.push_back(i < 0 ? 0 : size - 1);
    else
      sources.push_back(i < 0 ? -i : 2 * (size - 1) - i);
  }
  return sources;
}

/// Where each row and column of a padded image comes from.
struct PadSources {
  std::vector<std::int64_t> rows, columns;

  PadSources(const PadPlan& plan, std::int64_t h, std::int64_t w)
      : rows(border_sources(h, plan.padding.top, plan.padding.bottom, plan.mode)),
        columns(border_sources(w, plan.padding.left, plan.padding.right, plan.mode)) {}
};

/// Per source position, the padded positions that show it.
std::vector<std::vector<std::int64_t>> inverse(const std::vector<std::int64_t>& sources, std::int64_t size) {
  std::vector<std::vector<std::int64_t>> shown(static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < sources.size(); ++i)
    if (sources[i] >= 0) shown[static_cast<std::size_t>(sources[i])].push_back(static_cast<std::int64_t>(i));
  return shown;
}

}  // namespace

/// x [n, h, w, c] -> y [n, ho, wo, c]
void pad2d(const Tensor& x, Tensor& y, const PadPlan& plan, double value) {
  const std::int64_t h = x.dim(1), w = x.dim(2), c = x.dim(3), ho = y.dim(1), wo = y.dim(2);
  const PadSources sources(plan, h, w);
  dispatch_all(x.dtype(), [&]<typename T>() {
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    const T border = T(static_cast<compute_t<T>>(value));
    parallel_for(y.dim(0) * ho, std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, wo * c)),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t line = begin; line < end; ++line) {
                     const std::int64_t row = sources.rows[static_cast<std::size_t>(line % ho)];
                     const T* source = from + (line / ho * h + std::max<std::int64_t>(row, 0)) * w * c;
                     T* target = to + line * wo * c;
                     for (const std::int64_t column : sources.columns) {
                       if (row < 0 || column < 0)
                         std::fill_n(target, c, border);
                       else
                         std::copy_n(source + column * c, c, target);
                       target += c;
                     }
                   }
                 });
  });
}

/// Each dx pixel sums the dy pixels that show it, so that no two threads write the same element.
void pad2d_grad(const Tensor& dy, Tensor& dx, const PadPlan& plan) {
  const std::int64_t h = dx.dim(1), w = dx.dim(2), c = dx.dim(3), ho = dy.dim(1), wo = dy.dim(2);
  const PadSources sources(plan, h, w);
  const auto rows = inverse(sources.rows, h), columns = inverse(sources.columns, w);
  dispatch_floating("pad2d", dy.dtype(), [&]<typename T>() {
    const T* from = dy.data<T>();
    T* to = dx.mutable_data<T>();
    parallel_for(dx.dim(0) * h, std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, w * c)),
                 [&](std::int64_t begin, std::int64_t end) {
                   std::vector<compute_t<T>> pixel(static_cast<std::size_t>(c));
                   for (std::int64_t line = begin; line < end; ++line) {
                     const T* image = from + line / h * ho * wo * c;
                     T* target = to + line * w * c;
                     for (const auto& shown_columns : columns) {
                       std::fill(pixel.begin(), pixel.end(), compute_t<T>{0});
                       for (const std::int64_t row : rows[static_cast<std::size_t>(line % h)])
                         for (const std::int64_t column : shown_columns) {
                           const T* part = image + (row * wo + column) * c;
                           for (std::size_t k = 0; k < pixel.size(); ++k)
                             pixel[k] += static_cast<compute_t<T>>(part[k]);
                         }
                       for (const auto value : pixel) *target++ = T(value);
                     }
                   }
                 });
  });
}

}  // namespace cpu

constexpr Kernel pad2d_kernel{"pad2d", cpu::pad2d, NM_CUDA(cuda::pad2d)};
constexpr Kernel pad2d_grad_kernel{"pad2d", cpu::pad2d_grad, NM_CUDA(cuda::pad2d_grad)};

namespace {

void check_padding(const Tensor& x, const Padding& p, PadMode mode) {
  NM_CHECK(x.rank() == 4, "[pad2d] expects [n, h, w, c], got ", x.shape());
  NM_CHECK(p.left >= 0 && p.right >= 0 && p.top >= 0 && p.bottom >= 0,
           "[pad2d] borders must not be negative, got left ", p.left, ", right ", p.right, ", top ", p.top,
           ", bottom ", p.bottom, "; use slice to crop");
  if (mode == PadMode::constant) return;
  NM_CHECK(x.dim(1) > 0 && x.dim(2) > 0, "[pad2d] cannot continue the empty image ", x.shape());
  NM_CHECK(mode == PadMode::replicate ||
               (std::max(p.left, p.right) < x.dim(2) && std::max(p.top, p.bottom) < x.dim(1)),
           "[pad2d] reflected borders must be smaller than the image ", x.shape(), ", got left ", p.left,
           ", right ", p.right, ", top ", p.top, ", bottom ", p.bottom);
}

}  // namespace

Tensor pad2d(const Tensor& x, const Padding& padding, PadMode mode, double value) {
  check_padding(x, padding, mode);
  const PadPlan plan{padding, mode};
  Tensor y = Tensor::empty({x.dim(0), x.dim(1) + padding.top + padding.bottom,
                            x.dim(2) + padding.left + padding.right, x.dim(3)},
                           x.dtype(), x.device());
  pad2d_kernel(x, y, plan, value);
  return record("pad2d", {x}, y, [plan, shape = x.shape()](const Tensor& dy) {
    Tensor dx = Tensor::empty(shape, dy.dtype(), dy.device());
    pad2d_grad_kernel(dy, dx, plan);
    return Grads{dx};
  });
}

Tensor slice(const Tensor& x, const std::vector<Range>& ranges) {
  NM_CHECK(static_cast<int>(ranges.size()) <= x.rank(), "[slice] got ", ranges.size(), " ranges for shape ",
           x.shape());
  const auto strides = x.shape().strides();
  std::vector<std::int64_t> sizes = x.shape().dims();
  StridedCopy copy;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const Range range = i < ranges.size() ? ranges[i] : Range{0, sizes[i]};
    NM_CHECK(range.start >= 0 && range.start <= range.stop && range.stop <= sizes[i], "[slice] range ",
             range.start, "..", range.stop, " is outside axis ", i, " of ", x.shape(),
             ", expected 0 <= start <= stop <= ", sizes[i]);
    NM_CHECK(range.step >= 1, "[slice] step ", range.step, " along axis ", i, ", expected at least 1");
    sizes[i] = (range.stop - range.start) / range.step + ((range.stop - range.start) % range.step != 0);
    copy.from_offset += range.start * strides[i];
    // One visited element needs no stride, and a huge step would overflow it.
    copy.axes.push_back({sizes[i], sizes[i] > 1 ? range.step * strides[i] : 0, 0});
  }
  Tensor y = Tensor::empty(Shape(sizes), x.dtype(), x.device());
  const auto to = y.shape().strides();
  for (std::size_t i = 0; i < to.size(); ++i) copy.axes[i].to_stride = to[i];
  copy_strided("slice", x, y, copy);
  return record("slice", {x}, y, [copy, shape = x.shape()](const Tensor& dy) {
    Tensor dx = Tensor::zeros(shape, dy.dtype(), dy.device());
    copy_strided("slice", dy, dx, copy.reversed());
    return Grads{dx};
  });
}

}  // namespace noisymix

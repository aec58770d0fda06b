#include "engine/ops/permute.h"

#include "engine/autograd.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/strided_copy.h"

namespace noisymix {
namespace {

std::string text_of(const std::vector<int>& axes) {
  std::string text = "{";
  for (std::size_t i = 0; i < axes.size(); ++i) text += (i ? ", " : "") + std::to_string(axes[i]);
  return text + "}";
}

/// Non-negative axes, each at most once.
std::vector<int> distinct_axes(const char* op, const Tensor& x, const std::vector<int>& axes) {
  std::vector<bool> used(static_cast<std::size_t>(x.rank()));
  std::vector<int> result;
  for (const int axis : axes) {
    result.push_back(normalize_axis(op, axis, x.rank()));
    const auto k = static_cast<std::size_t>(result.back());
    NM_CHECK(!used[k], "[", op, "] axes ", text_of(axes), " name axis ", result.back(), " twice");
    used[k] = true;
  }
  return result;
}

}  // namespace

Tensor permute(const Tensor& x, const std::vector<int>& order) {
  NM_CHECK(static_cast<int>(order.size()) == x.rank(), "[permute] order ", text_of(order),
           " must name each axis of ", x.shape(), " once");
  const std::vector<int> axes = distinct_axes("permute", x, order);
  std::vector<std::int64_t> sizes;
  std::vector<int> inverse(axes.size());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    sizes.push_back(x.dim(axes[i]));
    inverse[static_cast<std::size_t>(axes[i])] = static_cast<int>(i);
  }
  Tensor y = Tensor::empty(Shape(sizes), x.dtype(), x.device());
  const auto from = x.shape().strides(), to = y.shape().strides();
  StridedCopy copy;
  for (std::size_t i = 0; i < axes.size(); ++i)
    copy.axes.push_back({sizes[i], from[static_cast<std::size_t>(axes[i])], to[i]});
  copy_strided("permute", x, y, copy);
  return record("permute", {x}, y, [inverse](const Tensor& dy) { return Grads{permute(dy, inverse)}; });
}

Tensor to_channels_last(const Tensor& x) {
  NM_CHECK(x.rank() == 4, "[to_channels_last] expects [n, c, h, w], got ", x.shape());
  return permute(x, {0, 2, 3, 1});
}

Tensor to_channels_first(const Tensor& x) {
  NM_CHECK(x.rank() == 4, "[to_channels_first] expects [n, h, w, c], got ", x.shape());
  return permute(x, {0, 3, 1, 2});
}

Tensor flip(const Tensor& x, const std::vector<int>& axes) {
  const std::vector<int> mirrored = distinct_axes("flip", x, axes);
  Tensor y = empty_like(x);
  const auto strides = x.shape().strides();
  StridedCopy copy;
  for (std::size_t i = 0; i < strides.size(); ++i)
    copy.axes.push_back({x.shape().dims()[i], strides[i], strides[i]});
  for (const int axis : mirrored) {
    StridedCopy::Axis& walked = copy.axes[static_cast<std::size_t>(axis)];
    copy.from_offset += (walked.size - 1) * walked.from_stride;
    walked.from_stride = -walked.from_stride;
  }
  copy_strided("flip", x, y, copy);
  return record("flip", {x}, y, [mirrored](const Tensor& dy) { return Grads{flip(dy, mirrored)}; });
}

Tensor expand(const Tensor& x, const Shape& shape) {
  const int fresh = shape.rank() - x.rank();
  bool fits = fresh >= 0;
  for (int i = 0; fits && i < x.rank(); ++i) fits = x.dim(i) == shape[fresh + i] || x.dim(i) == 1;
  NM_CHECK(fits, "[expand] cannot expand ", x.shape(), " to ", shape,
           ": sizes must be equal or 1, counted from the last axis");
  Tensor y = Tensor::empty(shape, x.dtype(), x.device());
  const auto from = x.shape().strides(), to = shape.strides();
  StridedCopy copy;
  for (int i = 0; i < shape.rank(); ++i) {
    const bool repeated = i < fresh || x.dim(i - fresh) == 1;
    copy.axes.push_back({shape[i], repeated ? 0 : from[static_cast<std::size_t>(i - fresh)],
                         to[static_cast<std::size_t>(i)]});
  }
  copy_strided("expand", x, y, copy);
  return record("expand", {x}, y,
                [small = x.shape()](const Tensor& dy) { return Grads{sum_to_shape(dy, small)}; });
}

}  // namespace noisymix

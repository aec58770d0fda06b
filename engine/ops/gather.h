// Picking elements by index (i64). Indices outside the axis throw ShapeError.
#pragma once

#include "engine/tensor.h"

namespace noisymix {

/// Slices x[..., index[j], ...] along an axis, in the order of index [m]; repeats add up in the gradient.
Tensor index_select(const Tensor& x, const Tensor& index, int axis = 0);
/// y[i][j] = x[i][index[i][j]] for the given axis; index has x's rank and sizes <= x's elsewhere.
Tensor gather(const Tensor& x, const Tensor& index, int axis);
/// Rows of weight [count, width] for any index shape -> index.shape() + [width].
Tensor embedding(const Tensor& weight, const Tensor& index);
/// index [..] -> [.., classes] with one 1 per row, of the given dtype.
Tensor one_hot(const Tensor& index, std::int64_t classes, Dtype dtype = Dtype::f32);

/// For the kernels, a tensor seen as [outer, size, inner] around one axis.
struct Around {
  std::int64_t outer = 1, size = 1, inner = 1;

  Around(const Shape& shape, int axis) : size(shape[axis]) {
    for (int i = 0; i < axis; ++i) outer *= shape[i];
    for (int i = axis + 1; i < shape.rank(); ++i) inner *= shape[i];
  }
};

namespace cuda {
void index_select(const Tensor& x, const Tensor& index, Tensor& y, int axis);
void index_select_grad(const Tensor& dy, const Tensor& index, Tensor& dx, int axis);
void gather(const Tensor& x, const Tensor& index, Tensor& y, int axis);
void gather_grad(const Tensor& dy, const Tensor& index, Tensor& dx, int axis);
void one_hot(const Tensor& index, Tensor& y);
}  // namespace cuda

}  // namespace noisymix

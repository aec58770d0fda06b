#include "engine/ops/gather.h"

#include "engine/cuda/launch.h"

namespace noisymix::cuda {
namespace {

constexpr int kMostAxes = 12;

/// A tensor seen as [outer, size, inner] around one axis.
struct Around {
  std::int64_t outer = 1, size = 1, inner = 1;
  Around(const Shape& shape, int axis) : size(shape[axis]) {
    for (int i = 0; i < axis; ++i) outer *= shape[i];
    for (int i = axis + 1; i < shape.rank(); ++i) inner *= shape[i];
  }
};

/// y [outer, m, inner] = x [outer, size, inner] at index [m]. T only has the size of an element.
template <typename T>
__global__ void select_kernel(const T* x, const std::int64_t* index, T* y, std::int64_t size, std::int64_t m,
                              std::int64_t inner, std::int64_t count) {
  NM_FOR_EACH(i, count) {
    const std::int64_t row = i / inner;
    y[i] = x[(row / m * size + index[row % m]) * inner + i % inner];
  }
}

/// Every element of dx adds up its own elements of dy, in order.
template <typename T>
__global__ void select_grad_kernel(const T* dy, const std::int64_t* index, T* dx, std::int64_t size, std::int64_t m,
                                   std::int64_t inner, std::int64_t count) {
  NM_FOR_EACH(i, count) {
    const std::int64_t row = i / inner, value = row % size, first = row / size * m;
    compute_t<T> sum = 0;
    for (std::int64_t j = 0; j < m; ++j)
      if (index[j] == value) sum += value_of(dy[(first + j) * inner + i % inner]);
    dx[i] = T(sum);
  }
}

/// The lines along an axis of an index tensor and of the tensor it points into.
struct Lines {
  std::int64_t length, count, index_step, x_step;
  int axes = 0;
  std::int64_t size[kMostAxes], index_stride[kMostAxes], x_stride[kMostAxes];

  Lines(const Shape& index, const Shape& x, int axis)
      : length(index[axis]), count(length > 0 ? index.numel() / length : 0) {
    const auto own = index.strides(), other = x.strides();
    index_step = own[static_cast<std::size_t>(axis)];
    x_step = other[static_cast<std::size_t>(axis)];
    for (int i = 0; i < index.rank(); ++i) {
      if (i == axis) continue;
      NM_CHECK(axes < kMostAxes, "[gather] more than ", kMostAxes, " axes");
      size[axes] = index[i];
      index_stride[axes] = own[static_cast<std::size_t>(i)];
      x_stride[axes++] = other[static_cast<std::size_t>(i)];
    }
  }
  __device__ void start(std::int64_t line, std::int64_t& in_index, std::int64_t& in_x) const {
    in_index = in_x = 0;
    for (int k = axes - 1; k >= 0; --k) {
      in_index += line % size[k] * index_stride[k];
      in_x += line % size[k] * x_stride[k];
      line /= size[k];
    }
  }
};

template <typename T>
__global__ void gather_kernel(const T* x, const std::int64_t* index, T* y, Lines lines) {
  NM_FOR_EACH(i, lines.count * lines.length) {
    std::int64_t in_index, in_x;
    lines.start(i / lines.length, in_index, in_x);
    const std::int64_t place = in_index + i % lines.length * lines.index_step;
    y[place] = x[in_x + index[place] * lines.x_step];
  }
}

/// A thread per line, so that repeats add up in order.
template <typename T>
__global__ void gather_grad_kernel(const T* dy, const std::int64_t* index, T* dx, Lines lines) {
  NM_FOR_EACH(line, lines.count) {
    std::int64_t in_index, in_x;
    lines.start(line, in_index, in_x);
    for (std::int64_t j = 0; j < lines.length; ++j) {
      const std::int64_t place = in_index + j * lines.index_step;
      T& sum = dx[in_x + index[place] * lines.x_step];
      sum = T(value_of(sum) + value_of(dy[place]));
    }
  }
}

template <typename T>
__global__ void one_hot_kernel(const std::int64_t* index, T* y, std::int64_t classes, std::int64_t count) {
  NM_FOR_EACH(i, count) y[i] = convert_value<T>(index[i / classes] == i % classes ? 1.0f : 0.0f);
}

}  // namespace

void index_select(const Tensor& x, const Tensor& index, Tensor& y, int axis) {
  const Around from(x.shape(), axis);
  dispatch_all(x.dtype(), [&]<typename T>() {
    launch(select_kernel<T>, blocks_for(y.numel()), kBlock, x.data<T>(), index.data<std::int64_t>(), y.mutable_data<T>(),
           from.size, index.numel(), from.inner, y.numel());
  });
}

void index_select_grad(const Tensor& dy, const Tensor& index, Tensor& dx, int axis) {
  const Around to(dx.shape(), axis);
  dispatch_floating("index_select", dy.dtype(), [&]<typename T>() {
    launch(select_grad_kernel<T>, blocks_for(dx.numel()), kBlock, dy.data<T>(), index.data<std::int64_t>(),
           dx.mutable_data<T>(), to.size, index.numel(), to.inner, dx.numel());
  });
}

void gather(const Tensor& x, const Tensor& index, Tensor& y, int axis) {
  const Lines lines(index.shape(), x.shape(), axis);
  dispatch_all(x.dtype(), [&]<typename T>() {
    launch(gather_kernel<T>, blocks_for(index.numel()), kBlock, x.data<T>(), index.data<std::int64_t>(),
           y.mutable_data<T>(), lines);
  });
}

void gather_grad(const Tensor& dy, const Tensor& index, Tensor& dx, int axis) {
  const Lines lines(index.shape(), dx.shape(), axis);
  dispatch_floating("gather", dy.dtype(), [&]<typename T>() {
    launch(gather_grad_kernel<T>, blocks_for(lines.count), kBlock, dy.data<T>(), index.data<std::int64_t>(),
           dx.mutable_data<T>(), lines);
  });
}

void one_hot(const Tensor& index, Tensor& y) {
  dispatch_all(y.dtype(), [&]<typename T>() {
    launch(one_hot_kernel<T>, blocks_for(y.numel()), kBlock, index.data<std::int64_t>(), y.mutable_data<T>(), y.dim(-1),
           y.numel());
  });
}

}  // namespace noisymix::cuda

#include "engine/ops/gather.h"

#include <algorithm>

#include "engine/autograd.h"
#include "engine/cpu/parallel.h"
#include "engine/kernel.h"

namespace noisymix {
namespace cpu {
namespace {

constexpr std::int64_t kGrain = 1 << 15;  // elements per parallel chunk

std::int64_t rows_per_chunk(std::int64_t row) {
  return std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(row, 1));
}

/// Positions in `index` per value 0..count-1, ascending: those of value v are places[first[v]] ..
/// places[first[v + 1]].
struct Occurrences {
  std::vector<std::int64_t> first, places;

  Occurrences(const Tensor& index, std::int64_t count)
      : first(static_cast<std::size_t>(count) + 1), places(static_cast<std::size_t>(index.numel())) {
    const std::int64_t* values = index.data<std::int64_t>();
    for (std::int64_t j = 0; j < index.numel(); ++j) ++first[static_cast<std::size_t>(values[j]) + 1];
    for (std::size_t v = 1; v < first.size(); ++v) first[v] += first[v - 1];
    std::vector<std::int64_t> next = first;
    for (std::int64_t j = 0; j < index.numel(); ++j)
      places[static_cast<std::size_t>(next[static_cast<std::size_t>(values[j])]++)] = j;
  }
};

/// Sums the listed rows of dy into dx, in the order of the list.
template <typename T>
void sum_rows(const T* dy, const std::int64_t* list, std::int64_t count, std::int64_t inner, T* dx) {
  if (count == 1) {
    std::copy_n(dy + list[0] * inner, inner, dx);
    return;
  }
  for (std::int64_t e = 0; e < inner; ++e) {
    compute_t<T> sum = 0;
    for (std::int64_t j = 0; j < count; ++j) sum += static_cast<compute_t<T>>(dy[list[j] * inner + e]);
    dx[e] = T(sum);
  }
}

/// The lines along `axis` of an index tensor, and where they start in it and in the tensor x it points into.
/// Different lines touch different elements of both.
class Lines {
 public:
  const std::int64_t length, count;       // elements per line, lines
  const std::int64_t index_step, x_step;  // strides along a line

  Lines(const Shape& index, const Shape& x, int axis)
      : length(index[axis]),
        count(length > 0 ? index.numel() / length : 0),
        index_step(index.strides()[static_cast<std::size_t>(axis)]),
        x_step(x.strides()[static_cast<std::size_t>(axis)]) {
    const auto index_strides = index.strides(), x_strides = x.strides();
    for (int i = 0; i < index.rank(); ++i)
      if (const auto k = static_cast<std::size_t>(i); i != axis)
        axes_.push_back({index[i], index_strides[k], x_strides[k]});
  }

  struct Start {
    std::int64_t in_index = 0, in_x = 0;
  };
  Start start(std::int64_t line) const {
    Start result;
    for (auto axis = axes_.rbegin(); axis != axes_.rend(); line /= axis->size, ++axis) {
      result.in_index += line % axis->size * axis->index_stride;
      result.in_x += line % axis->size * axis->x_stride;
    }
    return result;
  }

 private:
  struct Axis {
    std::int64_t size, index_stride, x_stride;
  };
  std::vector<Axis> axes_;  // all but the one along which lines run
};

}  // namespace

/// x [outer, size, inner], index [m] -> y [outer, m, inner]
void index_select(const Tensor& x, const Tensor& index, Tensor& y, int axis) {
  const Around from(x.shape(), axis);
  const std::int64_t m = index.numel(), inner = from.inner;
  const std::int64_t* picks = index.data<std::int64_t>();
  dispatch_all(x.dtype(), [&]<typename T>() {
    const T* source = x.data<T>();
    T* target = y.mutable_data<T>();
    parallel_for(from.outer * m, rows_per_chunk(inner), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row)
        std::copy_n(source + (row / m * from.size + picks[row % m]) * inner, inner, target + row * inner);
    });
  });
}

/// Each dx row sums its own dy rows, so that repeats add up in a fixed order whatever the thread count.
void index_select_grad(const Tensor& dy, const Tensor& index, Tensor& dx, int axis) {
  const Around to(dx.shape(), axis);
  const std::int64_t m = index.numel(), inner = to.inner;
  const Occurrences found(index, to.size);
  dispatch_floating("index_select", dy.dtype(), [&]<typename T>() {
    const T* source = dy.data<T>();
    T* target = dx.mutable_data<T>();
    parallel_for(to.outer * to.size, rows_per_chunk(inner), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const auto value = static_cast<std::size_t>(row % to.size);
        sum_rows(source + row / to.size * m * inner, found.places.data() + found.first[value],
                 found.first[value + 1] - found.first[value], inner, target + row * inner);
      }
    });
  });
}

void gather(const Tensor& x, const Tensor& index, Tensor& y, int axis) {
  const Lines lines(index.shape(), x.shape(), axis);
  const std::int64_t* picks = index.data<std::int64_t>();
  dispatch_all(x.dtype(), [&]<typename T>() {
    const T* source = x.data<T>();
    T* target = y.mutable_data<T>();
    parallel_for(lines.count, rows_per_chunk(lines.length), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t line = begin; line < end; ++line) {
        const auto start = lines.start(line);
        for (std::int64_t j = 0; j < lines.length; ++j) {
          const std::int64_t place = start.in_index + j * lines.index_step;
          target[place] = source[start.in_x + picks[place] * lines.x_step];
        }
      }
    });
  });
}

/// dx starts as zeros; f32 or f64, so that many repeats lose nothing.
void gather_grad(const Tensor& dy, const Tensor& index, Tensor& dx, int axis) {
  const Lines lines(index.shape(), dx.shape(), axis);
  const std::int64_t* picks = index.data<std::int64_t>();
  dispatch_floating("gather", dy.dtype(), [&]<typename T>() {
    const T* source = dy.data<T>();
    T* target = dx.mutable_data<T>();
    parallel_for(lines.count, rows_per_chunk(lines.length), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t line = begin; line < end; ++line) {
        const auto start = lines.start(line);
        for (std::int64_t j = 0; j < lines.length; ++j) {
          const std::int64_t place = start.in_index + j * lines.index_step;
          T& sum = target[start.in_x + picks[place] * lines.x_step];
          sum = T(static_cast<compute_t<T>>(sum) + static_cast<compute_t<T>>(source[place]));
        }
      }
    });
  });
}

void one_hot(const Tensor& index, Tensor& y) {
  const std::int64_t classes = y.dim(-1);
  const std::int64_t* picks = index.data<std::int64_t>();
  dispatch_all(y.dtype(), [&]<typename T>() {
    T* target = y.mutable_data<T>();
    parallel_for(index.numel(), rows_per_chunk(classes), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        std::fill_n(target + row * classes, classes, T{});
        target[row * classes + picks[row]] = T(compute_t<T>{1});
      }
    });
  });
}

}  // namespace cpu

constexpr Kernel index_select_kernel{"index_select", cpu::index_select, NM_CUDA(cuda::index_select)};
constexpr Kernel index_select_grad_kernel{"index_select", cpu::index_select_grad, NM_CUDA(cuda::index_select_grad)};
constexpr Kernel gather_kernel{"gather", cpu::gather, NM_CUDA(cuda::gather)};
constexpr Kernel gather_grad_kernel{"gather", cpu::gather_grad, NM_CUDA(cuda::gather_grad)};
constexpr Kernel one_hot_kernel{"one_hot", cpu::one_hot, NM_CUDA(cuda::one_hot)};

namespace {

/// Kernels trust indices, so they are read once here.
void check_index(const char* op, const Tensor& index, std::int64_t size) {
  NM_CHECK(index.dtype() == Dtype::i64, "[", op, "] expects i64 indices, got ", index.dtype());
  const Tensor host = index.detach().to(Device{});
  const std::int64_t* values = host.data<std::int64_t>();
  for (std::int64_t j = 0; j < host.numel(); ++j)
    NM_CHECK(values[j] >= 0 && values[j] < size, "[", op, "] index ", values[j], " at position ", j,
             " is outside 0..", size - 1);
}

Tensor select(const char* op, const Tensor& x, const Tensor& index, int axis) {
  NM_CHECK(x.device() == index.device(), "[", op, "] indices are on ", index.device(), ", values on ",
           x.device());
  check_index(op, index, x.dim(axis));
  std::vector<std::int64_t> sizes = x.shape().dims();
  sizes[static_cast<std::size_t>(axis)] = index.numel();
  Tensor y = Tensor::empty(Shape(sizes), x.dtype(), x.device());
  index_select_kernel(x, index, y, axis);
  return record(op, {x}, y, [index = index.detach(), shape = x.shape(), axis](const Tensor& dy) {
    Tensor dx = Tensor::empty(shape, dy.dtype(), dy.device());
    index_select_grad_kernel(dy, index, dx, axis);
    return Grads{dx};
  });
}

}  // namespace

Tensor index_select(const Tensor& x, const Tensor& index, int axis) {
  NM_CHECK(index.rank() == 1, "[index_select] expects one axis of indices, got shape ", index.shape());
  return select("index_select", x, index, normalize_axis("index_select", axis, x.rank()));
}

Tensor embedding(const Tensor& weight, const Tensor& index) {
  NM_CHECK(weight.rank() == 2, "[embedding] weight must be [count, width], got ", weight.shape());
  std::vector<std::int64_t> sizes = index.shape().dims();
  sizes.push_back(weight.dim(1));
  return select("embedding", weight, index, 0).reshape(sizes);
}

Tensor gather(const Tensor& x, const Tensor& index, int axis) {
  const int along = normalize_axis("gather", axis, x.rank());
  bool fits = index.rank() == x.rank();
  for (int i = 0; fits && i < x.rank(); ++i) fits = i == along || index.dim(i) <= x.dim(i);
  NM_CHECK(fits, "[gather] index ", index.shape(), " must have the rank of ", x.shape(),
           " and no larger size except along axis ", along);
  NM_CHECK(x.device() == index.device(), "[gather] indices are on ", index.device(), ", values on ",
           x.device());
  check_index("gather", index, x.dim(along));
  Tensor y = Tensor::empty(index.shape(), x.dtype(), x.device());
  gather_kernel(x, index, y, along);
  return record("gather", {x}, y, [index = index.detach(), shape = x.shape(), along](const Tensor& dy) {
    const Dtype sum_dtype = dy.dtype() == Dtype::bf16 ? Dtype::f32 : dy.dtype();
    Tensor dx = Tensor::zeros(shape, sum_dtype, dy.device());
    gather_grad_kernel(dy.to(sum_dtype), index, dx, along);
    return Grads{dx.to(dy.dtype())};
  });
}

Tensor one_hot(const Tensor& index, std::int64_t classes, Dtype dtype) {
  NM_CHECK(classes >= 1, "[one_hot] expects at least one class, got ", classes);
  check_index("one_hot", index, classes);
  std::vector<std::int64_t> sizes = index.shape().dims();
  sizes.push_back(classes);
  Tensor y = Tensor::empty(Shape(sizes), dtype, index.device());
  one_hot_kernel(index, y);
  return y;
}

}  // namespace noisymix

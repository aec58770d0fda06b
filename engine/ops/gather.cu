#include "engine/ops/gather.h"

#include "engine/cuda/parts.h"
#include "engine/cuda/words.h"
#include "engine/ops/occurrences.h"

namespace noisymix::cuda {
namespace {

constexpr int kMaxAxes = 8;

/// y [outer, m, inner] = x [outer, size, inner] at the picks, one word a thread.
template <typename Word>
__global__ void select_kernel(const Word* __restrict__ x, const std::int64_t* __restrict__ picks,
                              Word* __restrict__ y, std::int64_t rows, std::int64_t m, std::int64_t size,
                              std::int64_t inner) {
  NM_FOR_EACH(i, rows * inner) {
    const std::int64_t row = i / inner, outer = row / m;
    y[i] = x[(outer * size + picks[row - outer * m]) * inner + (i - row * inner)];
  }
}

/// dx [outer, size, inner]: each element sums its rows of dy [outer, m, inner] in the order of the index.
template <typename T>
__global__ void sum_occurrences_kernel(const T* __restrict__ dy, const std::int64_t* __restrict__ first,
                                       const std::int64_t* __restrict__ places, T* __restrict__ dx,
                                       std::int64_t outer, std::int64_t size, std::int64_t inner,
                                       std::int64_t m) {
  NM_FOR_EACH(i, outer * size * inner) {
    const std::int64_t row = i / inner, o = row / size, value = row - o * size;
    const T* from = dy + o * m * inner + (i - row * inner);
    double sum = 0;
    for (std::int64_t j = first[value]; j < first[value + 1]; ++j)
      sum += static_cast<double>(value_of(from[places[j] * inner]));
    dx[i] = T(static_cast<compute_t<T>>(sum));
  }
}

/// The lines along one axis of an index tensor, as in gather.cpp.
struct Lines {
  struct Axis {
    std::int64_t size, index_stride, x_stride;
  };
  Axis axes[kMaxAxes];  // all but the one along which lines run, slowest first
  int axis_count = 0;
  std::int64_t length, count, index_step, x_step;

  Lines(const Shape& index, const Shape& x, int axis)
      : length(index[axis]), count(length > 0 ? index.numel() / length : 0) {
    NM_CHECK(index.rank() <= kMaxAxes, "[gather] more than ", kMaxAxes,
             " axes have no CUDA kernel, got shape ", index);
    const auto index_strides = index.strides(), x_strides = x.strides();
    for (int i = 0; i < index.rank(); ++i)
      if (const auto k = static_cast<std::size_t>(i); i != axis)
        axes[axis_count++] = {index[i], index_strides[k], x_strides[k]};
    index_step = index_strides[static_cast<std::size_t>(axis)];
    x_step = x_strides[static_cast<std::size_t>(axis)];
  }

  struct Start {
    std::int64_t in_index, in_x;
  };
  __device__ Start start(std::int64_t line) const {
    Start result{0, 0};
    for (int i = axis_count - 1; i >= 0; --i) {
      const std::int64_t next = line / axes[i].size, position = line - next * axes[i].size;
      result.in_index += position * axes[i].index_stride;
      result.in_x += position * axes[i].x_stride;
      line = next;
    }
    return result;
  }
};

/// Where in the index tensor, and where in x, the i-th pick points: neighbours along the index tensor's last
/// axis belong to neighbouring threads whatever the axis of the lines.
__device__ inline Lines::Start pick_of(const Lines& lines, const std::int64_t* picks, std::int64_t i) {
  const std::int64_t step = lines.index_step, block = step * lines.length;
  const std::int64_t line = i / block * step + i % step;
  Lines::Start start = lines.start(line);
  start.in_index = i;
  start.in_x += picks[i] * lines.x_step;
  return start;
}

template <typename Word>
__global__ void gather_kernel(const Word* __restrict__ x, const std::int64_t* __restrict__ picks,
                              Word* __restrict__ y, Lines lines) {
  NM_FOR_EACH(i, lines.count * lines.length) y[i] = x[pick_of(lines, picks, i).in_x];
}

__global__ void targets_kernel(const std::int64_t* __restrict__ picks, std::int64_t* __restrict__ targets,
                               Lines lines) {
  NM_FOR_EACH(i, lines.count * lines.length) targets[i] = pick_of(lines, picks, i).in_x;
}

/// A thread walks a line: different lines touch different elements of dx.
template <typename T>
__global__ void gather_grad_kernel(const T* __restrict__ dy, const std::int64_t* __restrict__ picks, T* dx,
                                   Lines lines) {
  NM_FOR_EACH(line, lines.count) {
    const Lines::Start start = lines.start(line);
    for (std::int64_t j = 0; j < lines.length; ++j) {
      const std::int64_t place = start.in_index + j * lines.index_step;
      T& sum = dx[start.in_x + picks[place] * lines.x_step];
      sum = T(value_of(sum) + value_of(dy[place]));
    }
  }
}

template <typename T>
__global__ void one_hot_kernel(const std::int64_t* __restrict__ picks, T* __restrict__ y, std::int64_t count,
                               std::int64_t classes) {
  NM_FOR_EACH(i, count) {
    const std::int64_t row = i / classes;
    y[i] = T(compute_t<T>(i - row * classes == picks[row] ? 1 : 0));
  }
}

/// dx = sums of dy's rows by value, in the order of the values.
template <typename T>
void sum_by_value(const T* dy, const std::int64_t* values, std::int64_t m, const Around& to, T* dx,
                  Device device) {
  const Occurrences found(values, m, to.size, device);
  launch(sum_occurrences_kernel<T>, blocks_for(to.outer * to.size * to.inner), kBlock, dy, found.first(),
         found.places(), dx, to.outer, to.size, to.inner, m);
}

}  // namespace

void index_select(const Tensor& x, const Tensor& index, Tensor& y, int axis) {
  const Around from(x.shape(), axis);
  const std::int64_t m = index.numel(), rows = from.outer * m;
  if (y.numel() == 0) return;
  const std::size_t element = size_of(x.dtype()), row = element * static_cast<std::size_t>(from.inner);
  std::size_t word = common_word(16, x.raw(), y.raw());
  while (row % word != 0) word /= 2;
  dispatch_word(word, [&]<typename Word>() {
    const auto inner = static_cast<std::int64_t>(row / sizeof(Word));
    launch(select_kernel<Word>, blocks_for(rows * inner), kBlock, reinterpret_cast<const Word*>(x.raw()),
           index.data<std::int64_t>(), reinterpret_cast<Word*>(y.raw()), rows, m, from.size, inner);
  });
}

void index_select_grad(const Tensor& dy, const Tensor& index, Tensor& dx, int axis) {
  if (dx.numel() == 0) return;
  dispatch_floating("index_select", dy.dtype(), [&]<typename T>() {
    sum_by_value(dy.data<T>(), index.data<std::int64_t>(), index.numel(), Around(dx.shape(), axis),
                 dx.mutable_data<T>(), dy.device());
  });
}

void gather(const Tensor& x, const Tensor& index, Tensor& y, int axis) {
  if (y.numel() == 0) return;
  const Lines lines(index.shape(), x.shape(), axis);
  dispatch_word(size_of(x.dtype()), [&]<typename Word>() {
    launch(gather_kernel<Word>, blocks_for(index.numel()), kBlock, reinterpret_cast<const Word*>(x.raw()),
           index.data<std::int64_t>(), reinterpret_cast<Word*>(y.raw()), lines);
  });
}

void gather_grad(const Tensor& dy, const Tensor& index, Tensor& dx, int axis) {
  const std::int64_t m = index.numel();
  if (m == 0) return;
  const Lines lines(index.shape(), dx.shape(), axis);
  const std::int64_t* picks = index.data<std::int64_t>();
  dispatch_floating("gather", dy.dtype(), [&]<typename T>() {
    T* to = dx.mutable_data<T>();
    if (lines.count >= 1024 || lines.length <= 64) {
      launch(gather_grad_kernel<T>, blocks_for(lines.count), kBlock, dy.data<T>(), picks, to, lines);
      return;
    }
    // Few long lines: every element of dx sums what points at it.
    Tensor targets = Tensor::empty({m}, Dtype::i64, dy.device());
    std::int64_t* target = targets.mutable_data<std::int64_t>();
    launch(targets_kernel, blocks_for(m), kBlock, picks, target, lines);
    sum_by_value(dy.data<T>(), target, m, Around(Shape{dx.numel()}, 0), to, dy.device());
  });
}

void one_hot(const Tensor& index, Tensor& y) {
  dispatch_all(y.dtype(), [&]<typename T>() {
    launch(one_hot_kernel<T>, blocks_for(y.numel()), kBlock, index.data<std::int64_t>(), y.mutable_data<T>(),
           y.numel(), y.dim(-1));
  });
}

}  // namespace noisymix::cuda

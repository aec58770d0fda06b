#include "engine/cpu/channel_norm.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/cpu/parallel.h"
#include "engine/cpu/vectorise.h"

namespace noisymix::cpu {
namespace {

// The loops over rows [rows, width], once per element type. C is the type of arithmetic; sums run over few
// rows, so that adding in C costs little accuracy, and the caller adds those sums in double.

template <typename T, typename C = compute_t<T>>
[[gnu::always_inline]] inline void sum_loop(const T* x, std::int64_t rows, std::int64_t width,
                                            C* NM_RESTRICT sum) {
  for (std::int64_t i = 0; i < rows; ++i, x += width)
    for (std::int64_t j = 0; j < width; ++j) sum[j] += static_cast<C>(x[j]);
}

template <typename T, typename C = compute_t<T>>
[[gnu::always_inline]] inline void deviation_loop(const T* x, std::int64_t rows, std::int64_t width,
                                                  const C* shift, C* NM_RESTRICT sum,
                                                  C* NM_RESTRICT squares) {
  for (std::int64_t i = 0; i < rows; ++i, x += width)
    for (std::int64_t j = 0; j < width; ++j) {
      const C d = static_cast<C>(x[j]) - shift[j];
      sum[j] += d;
      squares[j] += d * d;
    }
}

/// y = (x - shift) * scale + bias. Comparisons are written so that NaN passes through relu.
template <typename T, typename C = compute_t<T>>
[[gnu::always_inline]] inline void normalise_loop(const T* x, std::int64_t rows, std::int64_t width,
                                                  const C* shift, const C* scale, const C* bias, bool relu,
                                                  T* NM_RESTRICT y) {
  for (std::int64_t i = 0; i < rows; ++i, x += width, y += width) {
    if (relu) {
      for (std::int64_t j = 0; j < width; ++j) {
        const C value = (static_cast<C>(x[j]) - shift[j]) * scale[j] + bias[j];
        y[j] = T(value < C(0) ? C(0) : value);
      }
    } else {
      for (std::int64_t j = 0; j < width; ++j)
        y[j] = T((static_cast<C>(x[j]) - shift[j]) * scale[j] + bias[j]);
    }
  }
}

template <typename T, typename C = compute_t<T>>
[[gnu::always_inline]] inline void grad_sum_loop(const T* x, const T* dy, std::int64_t rows,
                                                 std::int64_t width, const C* shift, const C* scale,
                                                 const C* bias, bool relu, C* NM_RESTRICT sum,
                                                 C* NM_RESTRICT products) {
  for (std::int64_t i = 0; i < rows; ++i, x += width, dy += width) {
    for (std::int64_t j = 0; j < width; ++j) {
      const C d = static_cast<C>(x[j]) - shift[j], y = d * scale[j] + bias[j];
      const C g = !relu || y > C(0) ? static_cast<C>(dy[j]) : C(0);
      sum[j] += g;
      products[j] += g * d;
    }
  }
}

/// dx = scale * (g - offset - (x - shift) * slope).
template <typename T, typename C = compute_t<T>>
[[gnu::always_inline]] inline void input_grad_loop(const T* x, const T* dy, std::int64_t rows,
                                                   std::int64_t width, const C* shift, const C* scale,
                                                   const C* bias, const C* offset, const C* slope, bool relu,
                                                   T* NM_RESTRICT dx) {
  for (std::int64_t i = 0; i < rows; ++i, x += width, dy += width, dx += width) {
    for (std::int64_t j = 0; j < width; ++j) {
      const C d = static_cast<C>(x[j]) - shift[j], y = d * scale[j] + bias[j];
      const C g = !relu || y > C(0) ? static_cast<C>(dy[j]) : C(0);
      dx[j] = T(scale[j] * (g - offset[j] - d * slope[j]));
    }
  }
}

// Overloads of add_rows, add_deviations, normalise_rows, add_grads, input_grad_rows for one element type,
// each compiled for every instruction set.
#define NM_CHANNEL_LOOPS(suffix, T, C)                                                                      \
  NM_VECTORISED(add_rows_##suffix, (const T* x, std::int64_t n, std::int64_t w, C* s), (x, n, w, s)) {      \
    sum_loop(x, n, w, s);                                                                                   \
  }                                                                                                         \
  NM_VECTORISED(add_deviations_##suffix,                                                                    \
                (const T* x, std::int64_t n, std::int64_t w, const C* shift, C* s, C* q),                   \
                (x, n, w, shift, s, q)) {                                                                   \
    deviation_loop(x, n, w, shift, s, q);                                                                   \
  }                                                                                                         \
  NM_VECTORISED(normalise_rows_##suffix,                                                                    \
                (const T* x, std::int64_t n, std::int64_t w, const C* shift, const C* scale, const C* bias, \
                 bool relu, T* y),                                                                          \
                (x, n, w, shift, scale, bias, relu, y)) {                                                   \
    normalise_loop(x, n, w, shift, scale, bias, relu, y);                                                   \
  }                                                                                                         \
  NM_VECTORISED(add_grads_##suffix,                                                                         \
                (const T* x, const T* dy, std::int64_t n, std::int64_t w, const C* shift, const C* scale,   \
                 const C* bias, bool relu, C* s, C* q),                                                     \
                (x, dy, n, w, shift, scale, bias, relu, s, q)) {                                            \
    grad_sum_loop(x, dy, n, w, shift, scale, bias, relu, s, q);                                             \
  }                                                                                                         \
  NM_VECTORISED(input_grad_rows_##suffix,                                                                   \
                (const T* x, const T* dy, std::int64_t n, std::int64_t w, const C* shift, const C* scale,   \
                 const C* bias, const C* offset, const C* slope, bool relu, T* dx),                         \
                (x, dy, n, w, shift, scale, bias, offset, slope, relu, dx)) {                               \
    input_grad_loop(x, dy, n, w, shift, scale, bias, offset, slope, relu, dx);                              \
  }                                                                                                         \
  template <>                                                                                               \
  struct Loops<T> {                                                                                         \
    static constexpr auto add_rows = add_rows_##suffix;                                                     \
    static constexpr auto add_deviations = add_deviations_##suffix;                                         \
    static constexpr auto normalise_rows = normalise_rows_##suffix;                                         \
    static constexpr auto add_grads = add_grads_##suffix;                                                   \
    static constexpr auto input_grad_rows = input_grad_rows_##suffix;                                       \
  };

template <typename T>
struct Loops;
NM_CHANNEL_LOOPS(f32, float, float)
NM_CHANNEL_LOOPS(f64, double, double)
NM_CHANNEL_LOOPS(bf16, bfloat16, float)
#undef NM_CHANNEL_LOOPS

/// x seen as [rows, width], width a few times the channels, so that the inner loop is long even for few
/// channels.
struct Layout {
  std::int64_t channels, width, rows, grain;

  explicit Layout(const Tensor& x)
      : channels(x.dim(-1)), width(channels), rows(channels == 0 ? 0 : x.numel() / channels) {
    while (width < 64 && rows > 0 && rows % 2 == 0) width *= 2, rows /= 2;
    grain =
        std::max<std::int64_t>(1, 32768 / std::max<std::int64_t>(1, width));  // a chunk of f32 fits into L2
  }
  std::int64_t chunks() const { return chunk_count(rows, grain); }

  /// Repeats one value per channel over the width.
  template <typename C>
  std::vector<C> spread(const std::vector<double>& values) const {
    std::vector<C> result(static_cast<std::size_t>(width));
    for (std::size_t j = 0; j < result.size(); ++j) result[j] = static_cast<C>(values[j % values.size()]);
    return result;
  }
};

constexpr std::int64_t kRun = 16;  // rows added in the arithmetic type before their sum goes into doubles

/// Sums over rows [0, rows) of up to two quantities: calls add(first, count, sums) for runs of rows, sums
/// being `count_of_sums` arrays of the layout's width, and folds them into totals [count_of_sums][channels].
template <typename C, typename Add>
void sum_runs(const Layout& layout, std::int64_t begin, std::int64_t end, int count_of_sums, double* totals,
              Add add) {
  const std::size_t width = static_cast<std::size_t>(layout.width),
                    size = width * static_cast<std::size_t>(count_of_sums);
  std::vector<C> run(size);
  std::vector<double> wide(size, 0.0);
  for (std::int64_t first = begin; first < end; first += kRun) {
    std::fill(run.begin(), run.end(), C(0));
    add(first, std::min(kRun, end - first), run.data());
    for (std::size_t j = 0; j < size; ++j) wide[j] += static_cast<double>(run[j]);
  }
  const std::size_t channels = static_cast<std::size_t>(layout.channels);
  std::fill_n(totals, channels * static_cast<std::size_t>(count_of_sums), 0.0);
  for (std::size_t j = 0; j < size; ++j) totals[j / width * channels + j % width % channels] += wide[j];
}

std::vector<double> to_doubles(const Tensor& x) {
  return x.to(Dtype::f64).to_vector<double>();
}

/// The constants of a ChannelNorm. The mean, rounded to the arithmetic type, is subtracted from x; what
/// rounding cut off goes into the bias, which matters when the mean is large against the deviation.
template <typename C>
struct Constants {
  std::vector<C> shift, scale, bias;
  std::vector<double> mean_rest, deviation_inverse;

  Constants(const Layout& layout, const ChannelNorm& norm) {
    const std::vector<double> moments = to_doubles(norm.moments), weight = to_doubles(norm.weight);
    std::vector<double> mean(moments.begin(), moments.begin() + layout.channels),
        factor = weight, offset = to_doubles(norm.bias);
    shift = layout.spread<C>(mean);
    for (std::size_t j = 0; j < mean.size(); ++j) {
      mean_rest.push_back(mean[j] - static_cast<double>(shift[j]));
      deviation_inverse.push_back(1 / std::sqrt(moments[mean.size() + j] + norm.epsilon));
      factor[j] *= deviation_inverse[j];
      offset[j] -= mean_rest[j] * factor[j];
    }
    scale = layout.spread<C>(factor);
    bias = layout.spread<C>(offset);
  }
};

constexpr std::int64_t kSample = 4 * kRun;  // rows that a first mean is taken from

/// Mean and sum of squared deviations of one chunk, in one pass: around the mean of its first rows, which is
/// near enough to the whole one that nothing cancels.
template <typename T>
void chunk_moments(const Layout& layout, const T* x, std::int64_t begin, std::int64_t end, double* mean,
                   double* squares) {
  using C = compute_t<T>;
  const std::int64_t width = layout.width, group = width / layout.channels;
  const std::int64_t sampled = std::min(end, begin + kSample);
  std::vector<double> middle(static_cast<std::size_t>(layout.channels)), totals(middle.size() * 2);
  sum_runs<C>(layout, begin, sampled, 1, middle.data(), [&](std::int64_t first, std::int64_t rows, C* sums) {
    Loops<T>::add_rows(x + first * width, rows, width, sums);
  });
  for (double& value : middle) value /= static_cast<double>((sampled - begin) * group);
  const std::vector<C> shift = layout.spread<C>(middle);
  sum_runs<C>(layout, begin, end, 2, totals.data(), [&](std::int64_t first, std::int64_t rows, C* sums) {
    Loops<T>::add_deviations(x + first * width, rows, width, shift.data(), sums, sums + width);
  });
  const double count = static_cast<double>((end - begin) * group);
  for (std::size_t j = 0; j < middle.size(); ++j) {
    const double sum = totals[j];
    mean[j] = static_cast<double>(shift[j]) + sum / count;
    squares[j] = std::max(0.0, totals[middle.size() + j] - sum * sum / count);
  }
}

}  // namespace

Tensor channel_moments(const Tensor& x) {
  const Layout layout(x);
  const std::int64_t channels = layout.channels, group = channels == 0 ? 1 : layout.width / channels;
  std::vector<double> partial(static_cast<std::size_t>(layout.chunks() * channels * 2));
  dispatch_floating("batch_norm", x.dtype(), [&]<typename T>() {
    parallel_for(layout.rows, layout.grain, [&](std::int64_t begin, std::int64_t end) {
      double* mean = partial.data() + begin / layout.grain * channels * 2;
      chunk_moments(layout, x.data<T>(), begin, end, mean, mean + channels);
    });
  });
  Tensor moments = Tensor::zeros(Shape{2, channels}, Dtype::f64);
  double *mean = moments.mutable_data<double>(), *variance = mean + channels;
  double seen = 0;
  for (std::int64_t chunk = 0; chunk < layout.chunks(); ++chunk) {
    const double count =
        static_cast<double>(std::min(layout.grain, layout.rows - chunk * layout.grain) * group);
    const double *chunk_mean = partial.data() + chunk * channels * 2, *chunk_squares = chunk_mean + channels;
    for (std::int64_t j = 0; j < channels; ++j) {  // Chan's rule for joining the moments of two sets
      const double gap = chunk_mean[j] - mean[j];
      mean[j] += gap * count / (seen + count);
      variance[j] += chunk_squares[j] + gap * gap * seen * count / (seen + count);
    }
    seen += count;
  }
  for (std::int64_t j = 0; j < channels; ++j) variance[j] /= std::max(seen, 1.0);
  return moments;
}

Tensor normalise_channels(const Tensor& x, const ChannelNorm& norm) {
  const Layout layout(x);
  Tensor y = empty_like(x);
  dispatch_floating("batch_norm", x.dtype(), [&]<typename T>() {
    const Constants<compute_t<T>> k(layout, norm);
    const T* input = x.data<T>();
    T* output = y.mutable_data<T>();
    parallel_for(layout.rows, layout.grain, [&](std::int64_t begin, std::int64_t end) {
      Loops<T>::normalise_rows(input + begin * layout.width, end - begin, layout.width, k.shift.data(),
                               k.scale.data(), k.bias.data(), norm.relu, output + begin * layout.width);
    });
  });
  return y;
}

Tensor channel_grad_sums(const Tensor& x, const Tensor& dy, const ChannelNorm& norm) {
  const Layout layout(x);
  const std::int64_t channels = layout.channels, width = layout.width;
  Tensor sums = Tensor::zeros(Shape{2, channels}, Dtype::f64);
  double* total = sums.mutable_data<double>();
  std::vector<double> partial(static_cast<std::size_t>(layout.chunks() * channels * 2));
  dispatch_floating("batch_norm", x.dtype(), [&]<typename T>() {
    using C = compute_t<T>;
    const Constants<C> k(layout, norm);
    const T *input = x.data<T>(), *gradient = dy.data<T>();
    parallel_for(layout.rows, layout.grain, [&](std::int64_t begin, std::int64_t end) {
      sum_runs<C>(layout, begin, end, 2, partial.data() + begin / layout.grain * channels * 2,
                  [&](std::int64_t first, std::int64_t rows, C* run) {
                    Loops<T>::add_grads(input + first * width, gradient + first * width, rows, width,
                                        k.shift.data(), k.scale.data(), k.bias.data(), norm.relu, run,
                                        run + width);
                  });
    });
    for (std::size_t i = 0; i < partial.size(); ++i)
      total[i % static_cast<std::size_t>(2 * channels)] += partial[i];
    for (std::int64_t j = 0; j < channels; ++j)  // the loops subtracted the rounded mean
      total[channels + j] -= k.mean_rest[static_cast<std::size_t>(j)] * total[j];
  });
  return sums;
}

Tensor channel_input_grad(const Tensor& x, const Tensor& dy, const ChannelNorm& norm, const Tensor& sums) {
  const Layout layout(x);
  const std::int64_t width = layout.width;
  Tensor dx = empty_like(x);
  dispatch_floating("batch_norm", x.dtype(), [&]<typename T>() {
    using C = compute_t<T>;
    const Constants<C> k(layout, norm);
    const std::size_t channels = static_cast<std::size_t>(layout.channels);
    std::vector<double> offsets(channels, 0.0), slopes(channels, 0.0);
    if (sums.defined()) {
      const std::vector<double> total = to_doubles(sums);
      const double count = static_cast<double>(x.numel()) / static_cast<double>(layout.channels);
      for (std::size_t j = 0; j < channels; ++j) {
        slopes[j] = total[channels + j] * k.deviation_inverse[j] * k.deviation_inverse[j] / count;
        offsets[j] = total[j] / count - k.mean_rest[j] * slopes[j];
      }
    }
    const std::vector<C> offset = layout.spread<C>(offsets), slope = layout.spread<C>(slopes);
    const T *input = x.data<T>(), *gradient = dy.data<T>();
    T* output = dx.mutable_data<T>();
    parallel_for(layout.rows, layout.grain, [&](std::int64_t begin, std::int64_t end) {
      Loops<T>::input_grad_rows(input + begin * width, gradient + begin * width, end - begin, width,
                                k.shift.data(), k.scale.data(), k.bias.data(), offset.data(), slope.data(),
                                norm.relu, output + begin * width);
    });
  });
  return dx;
}

}  // namespace noisymix::cpu

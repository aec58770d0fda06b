#include "engine/ops/random.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/cpu/parallel.h"
#include "engine/kernel.h"

namespace noisymix {
namespace cpu {
namespace {

constexpr std::int64_t kGrain = 1 << 12;  // a draw costs tens of nanoseconds

/// Fills y with T(draw(i)), rounded once from double, so that all dtypes see the same numbers.
template <typename Draw>
void fill(Tensor& y, Draw draw) {
  dispatch_floating("random", y.dtype(), [&]<typename T>() {
    T* to = y.mutable_data<T>();
    parallel_for(y.numel(), kGrain, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        to[i] = T(static_cast<compute_t<T>>(draw(static_cast<std::uint64_t>(i))));
    });
  });
}

/// Draws above `last` become `last`.
void random_uniform(Tensor& y, Key key, double low, double high, double last) {
  fill(y, [=](std::uint64_t i) { return std::min(low + (high - low) * key.uniform(i), last); });
}

void random_normal(Tensor& y, Key key, double mean, double stddev) {
  fill(y, [=](std::uint64_t i) { return mean + stddev * key.normal(i); });
}

}  // namespace
}  // namespace cpu

namespace {

constexpr Kernel uniform_kernel{"random_uniform", cpu::random_uniform, NM_CUDA(cuda::random_uniform)};
constexpr Kernel normal_kernel{"random_normal", cpu::random_normal, NM_CUDA(cuda::random_normal)};

/// The largest value of a dtype below `high`: rounding a draw to fewer digits must not reach the excluded
/// end.
double largest_below(double high, Dtype dtype) {
  const double lowest = -std::numeric_limits<double>::infinity();
  if (dtype == Dtype::f64) return std::nextafter(high, lowest);
  const float nearest = static_cast<float>(high);
  if (dtype == Dtype::f32)
    return nearest < high ? nearest : std::nextafter(nearest, static_cast<float>(lowest));
  bfloat16 value(nearest);
  if (static_cast<float>(value) < high) return static_cast<float>(value);
  const bool negative = (value.bits & 0x8000u) != 0, zero = (value.bits & 0x7fffu) == 0;
  value.bits = static_cast<std::uint16_t>(zero ? 0x8001u : negative ? value.bits + 1u : value.bits - 1u);
  return static_cast<float>(value);
}

}  // namespace

Tensor random_uniform(const Shape& shape, Key key, double low, double high, Dtype dtype,
                      Device device) {
  NM_CHECK(low < high, "[random_uniform] expects low < high, got ", low, " and ", high);
  Tensor y = Tensor::empty(shape, dtype, device);
  uniform_kernel(y, key, low, high, largest_below(high, dtype));
  return y;
}

Tensor random_normal(const Shape& shape, Key key, double mean, double stddev, Dtype dtype, Device device) {
  NM_CHECK(stddev >= 0, "[random_normal] expects a standard deviation of at least 0, got ", stddev);
  Tensor y = Tensor::empty(shape, dtype, device);
  normal_kernel(y, key, mean, stddev);
  return y;
}

}  // namespace noisymix

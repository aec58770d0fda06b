#include "augment/filters/plasma.h"

#include <algorithm>
#include <utility>

#include "augment/filters/random_fields.h"
#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {

namespace {

constexpr std::size_t kLanes = 16;

NM_VECTORISED(stretch, (float* NM_RESTRICT values, std::size_t n, float factor, float offset),
              (values, n, factor, offset)) {
  for (std::size_t i = 0; i < n; ++i) values[i] = values[i] * factor + offset;
}

/// Centres of n x n cells: rows of n + 1, each beginning with a copy of its last value, so that a left
/// neighbour needs no wrapping. Rows of `grid` hold n + 1 values for the same reason, their first repeated.
template <class T>
[[gnu::always_inline]] inline void fill_centres(const T* NM_RESTRICT grid, T* NM_RESTRICT centres,
                                                const T* NM_RESTRICT amounts, std::size_t n) {
  for (std::size_t y = 0; y < n; ++y) {
    const T* NM_RESTRICT upper = grid + y * (n + 1);
    const T* NM_RESTRICT lower = grid + (y + 1 == n ? 0 : y + 1) * (n + 1);
    T* NM_RESTRICT centre = centres + y * (n + 1) + 1;
    for (std::size_t x = 0; x < n; ++x)
      centre[x] = ((upper[x] + lower[x]) + (upper[x + 1] + lower[x + 1])) / 4 + amounts[y * n + x];
    centres[y * (n + 1)] = centre[n - 1];
  }
}

/// The finer grid, whose rows are `stride` values apart: corners, centres and the middles of edges.
template <class T>
[[gnu::always_inline]] inline void fill_finer(const T* NM_RESTRICT grid, const T* NM_RESTRICT centres,
                                              const T* NM_RESTRICT amounts, std::size_t n,
                                              T* NM_RESTRICT finer, std::size_t stride) {
  for (std::size_t y = 0; y < n; ++y) {
    const T* NM_RESTRICT upper = grid + y * (n + 1);
    const T* NM_RESTRICT lower = grid + (y + 1 == n ? 0 : y + 1) * (n + 1);
    const T* NM_RESTRICT centre = centres + y * (n + 1) + 1;
    const T* NM_RESTRICT above = centres + (y == 0 ? n - 1 : y - 1) * (n + 1) + 1;
    const T* NM_RESTRICT for_upper = amounts + y * n;
    const T* NM_RESTRICT for_left = for_upper + n * n;
    T* NM_RESTRICT even = finer + 2 * y * stride;
    T* NM_RESTRICT odd = even + stride;
    for (std::size_t x = 0; x < n; ++x) {
      even[2 * x] = upper[x];
      even[2 * x + 1] = ((centre[x] + above[x]) + (upper[x] + upper[x + 1])) / 4 + for_upper[x];
      odd[2 * x] = ((centre[x] + (centre - 1)[x]) + (upper[x] + lower[x])) / 4 + for_left[x];
      odd[2 * x + 1] = centre[x];
    }
    if (stride > 2 * n) {
      even[2 * n] = even[0];
      odd[2 * n] = odd[0];
    }
  }
}

/// Subtracts the smallest value and divides by the largest difference.
template <class T>
[[gnu::always_inline]] inline void to_unit(T* NM_RESTRICT values, std::size_t n) {
  const std::size_t lanes = std::min(n, kLanes);  // both are powers of two
  T low[kLanes], high[kLanes];
  for (std::size_t l = 0; l < kLanes; ++l) low[l] = high[l] = values[0];
  for (std::size_t i = 0; i < n; i += lanes) {
    for (std::size_t l = 0; l < lanes; ++l) {
      const T v = values[i + l];
      low[l] = v < low[l] ? v : low[l];
      high[l] = v > high[l] ? v : high[l];
    }
  }
  T smallest = low[0], largest = high[0];
  for (std::size_t l = 1; l < kLanes; ++l) {
    smallest = low[l] < smallest ? low[l] : smallest;
    largest = high[l] > largest ? high[l] : largest;
  }
  const T range = largest - smallest;
  const T divisor = range > 0 ? range : T{1};
  for (std::size_t i = 0; i < n; ++i) values[i] = (values[i] - smallest) / divisor;
}

NM_VECTORISED(refine,
              (const float* grid, float* centres, const float* amounts, std::size_t n, float* finer,
               std::size_t stride),
              (grid, centres, amounts, n, finer, stride)) {
  fill_centres(grid, centres, amounts, n);
  fill_finer(grid, centres, amounts + n * n, n, finer, stride);
}
NM_VECTORISED(refine,
              (const double* grid, double* centres, const double* amounts, std::size_t n, double* finer,
               std::size_t stride),
              (grid, centres, amounts, n, finer, stride)) {
  fill_centres(grid, centres, amounts, n);
  fill_finer(grid, centres, amounts + n * n, n, finer, stride);
}
NM_VECTORISED(normalise, (float* values, std::size_t n), (values, n)) {
  to_unit(values, n);
}
NM_VECTORISED(normalise, (double* values, std::size_t n), (values, n)) {
  to_unit(values, n);
}

bool is_power_of_two(int n) {
  return n > 0 && (n & (n - 1)) == 0;
}

}  // namespace

void draw_plasma(Key key, int side, double decay, std::span<float> amounts) {
  NM_CHECK(amounts.size() == plasma_amounts(side), "[draw_plasma] a side of ", side, " takes ",
           plasma_amounts(side), " amounts, not ", amounts.size());
  fill_uniform(key, amounts);
  double amplitude = kPlasmaAmplitude;
  std::size_t done = 0;
  for (std::size_t n = 1; done < amounts.size(); n *= 2, amplitude /= decay) {
    const double reach = amplitude * amplitude;
    stretch(amounts.data() + done, 3 * n * n, static_cast<float>(2 * reach), static_cast<float>(-reach));
    done += 3 * n * n;
  }
}

template <class T>
void plasma_fractal(std::span<const T> amounts, int side, T* out, Scratch& scratch) {
  NM_CHECK(side >= 2 && is_power_of_two(side), "[plasma_fractal] the side is a power of two, not ", side);
  NM_CHECK(amounts.size() == plasma_amounts(side), "[plasma_fractal] a side of ", side, " takes ",
           plasma_amounts(side), " amounts, not ", amounts.size());
  const Scratch::Frame frame(scratch);
  const auto half = static_cast<std::size_t>(side) / 2;
  auto grid = scratch.take<T>(half * (half + 1) + 1), finer = scratch.take<T>(half * (half + 1) + 1);
  const auto centres = scratch.take<T>(half * (half + 1));
  grid[0] = grid[1] = 0;
  const T* next = amounts.data();
  for (std::size_t n = 1; n < half; n *= 2) {
    refine(grid.data(), centres.data(), next, n, finer.data(), 2 * n + 1);
    std::swap(grid, finer);
    next += 3 * n * n;
  }
  refine(grid.data(), centres.data(), next, half, out, 2 * half);
  normalise(out, 4 * half * half);
}

template void plasma_fractal(std::span<const float>, int, float*, Scratch&);
template void plasma_fractal(std::span<const double>, int, double*, Scratch&);

}  // namespace noisymix

#include "engine/cpu/column_sums.h"

#include <algorithm>
#include <vector>

#include "engine/cpu/parallel.h"
#include "engine/cpu/vectorise.h"

namespace noisymix::cpu {
namespace {

template <typename T, typename C = compute_t<T>>
[[gnu::always_inline]] inline void add_loop(const T* x, std::int64_t rows, std::int64_t columns,
                                            C* NM_RESTRICT sums) {
  for (std::int64_t i = 0; i < rows; ++i, x += columns)
    for (std::int64_t j = 0; j < columns; ++j) sums[j] += static_cast<C>(x[j]);
}

#define NM_ADD_ROWS(suffix, T)                                                             \
  NM_VECTORISED(add_rows_##suffix,                                                         \
                (const T* x, std::int64_t rows, std::int64_t columns, compute_t<T>* sums), \
                (x, rows, columns, sums)) {                                                \
    add_loop(x, rows, columns, sums);                                                      \
  }                                                                                        \
  void add_rows(const T* x, std::int64_t rows, std::int64_t columns, compute_t<T>* sums) { \
    add_rows_##suffix(x, rows, columns, sums);                                             \
  }
NM_ADD_ROWS(f32, float)
NM_ADD_ROWS(f64, double)
NM_ADD_ROWS(bf16, bfloat16)
#undef NM_ADD_ROWS

constexpr std::int64_t kRun = 16;  // rows added in the compute type

}  // namespace

template <typename T, typename S>
void column_sums(const T* x, std::int64_t rows, std::int64_t columns, S* sums) {
  using C = compute_t<T>;
  const std::int64_t grain = std::max<std::int64_t>(kRun, 32768 / std::max<std::int64_t>(1, columns));
  const std::size_t width = static_cast<std::size_t>(columns);
  std::vector<double> partials(static_cast<std::size_t>(chunk_count(rows, grain)) * width, 0.0);
  parallel_for(rows, grain, [&](std::int64_t begin, std::int64_t end) {
    double* partial = partials.data() + begin / grain * columns;
    std::vector<C> run(width);
    for (std::int64_t first = begin; first < end; first += kRun) {
      std::fill(run.begin(), run.end(), C(0));
      add_rows(x + first * columns, std::min(kRun, end - first), columns, run.data());
      for (std::size_t j = 0; j < width; ++j) partial[j] += static_cast<double>(run[j]);
    }
  });
  for (std::size_t j = 0; j < width; ++j) {
    double total = 0;
    for (std::size_t chunk = j; chunk < partials.size(); chunk += width) total += partials[chunk];
    sums[j] = S(static_cast<compute_t<S>>(total));
  }
}

template void column_sums(const float*, std::int64_t, std::int64_t, float*);
template void column_sums(const double*, std::int64_t, std::int64_t, double*);
template void column_sums(const bfloat16*, std::int64_t, std::int64_t, bfloat16*);
template void column_sums(const bfloat16*, std::int64_t, std::int64_t, float*);
template void column_sums(const double*, std::int64_t, std::int64_t, float*);

}  // namespace noisymix::cpu

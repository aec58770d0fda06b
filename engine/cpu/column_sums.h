// Sums over the rows of a matrix: gradients of biases.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/cpu/parallel.h"
#include "engine/dtype.h"

namespace noisymix::cpu {

/// sums [columns] of x [rows, columns], in x's type or a wider one. Short runs of rows are added in T's compute type, those in double, in
/// an order that does not depend on the thread count.
template <typename T, typename S>
void column_sums(const T* x, std::int64_t rows, std::int64_t columns, S* sums) {
  using C = compute_t<T>;
  constexpr std::int64_t kRun = 16;
  const std::int64_t grain = std::max<std::int64_t>(kRun, 32768 / std::max<std::int64_t>(1, columns));
  const std::size_t width = static_cast<std::size_t>(columns);
  std::vector<double> partials(static_cast<std::size_t>(chunk_count(rows, grain)) * width, 0.0);
  parallel_for(rows, grain, [&](std::int64_t begin, std::int64_t end) {
    double* partial = partials.data() + begin / grain * columns;
    std::vector<C> run(width);
    for (std::int64_t first = begin; first < end; first += kRun) {
      std::fill(run.begin(), run.end(), C(0));
      for (std::int64_t i = first; i < std::min(end, first + kRun); ++i)
        for (std::size_t j = 0; j < width; ++j)
          run[j] += static_cast<C>(x[i * columns + static_cast<std::int64_t>(j)]);
      for (std::size_t j = 0; j < width; ++j) partial[j] += static_cast<double>(run[j]);
    }
  });
  for (std::size_t j = 0; j < width; ++j) {
    double total = 0;
    for (std::size_t chunk = j; chunk < partials.size(); chunk += width) total += partials[chunk];
    sums[j] = S(static_cast<compute_t<S>>(total));
  }
}

}  // namespace noisymix::cpu

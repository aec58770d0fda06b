// Sums over the rows of a matrix: gradients of biases.
#pragma once

#include <cstdint>

#include "engine/dtype.h"

namespace noisymix::cpu {

/// sums [columns] of x [rows, columns], in x's type or, for bf16, in f32. Short runs of rows are added in T's
/// compute type, those in double, in an order that does not depend on the thread count. T is float, double or
/// bfloat16.
template <typename T, typename S>
void column_sums(const T* x, std::int64_t rows, std::int64_t columns, S* sums);

}  // namespace noisymix::cpu

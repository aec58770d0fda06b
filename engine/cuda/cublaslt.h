// Matrix products by cuBLASLt, found when the program runs.
#pragma once

#include "engine/ops/matmul.h"

namespace noisymix::cuda {

/// c [batch, m, n] = a * b (+ bias). False, and nothing done, where the library is missing or knows no way:
/// then the caller computes it.
bool cublaslt_matmul(const Tensor& a, const Tensor& b, const Tensor& bias, const Product& product, Tensor& c);

}  // namespace noisymix::cuda

// What the tape needs besides ops: the sum of two gradients, and whether numbers are finite.
#pragma once

#include "engine/tensor.h"

namespace noisymix {

namespace cpu {
/// sum = a + b; sum may be a.
void add_gradients(const Tensor& a, const Tensor& b, Tensor& sum);
/// Whether no element is an infinity or NaN; floating dtypes only.
bool finite(const Tensor& x);
}  // namespace cpu
namespace cuda {
void add_gradients(const Tensor& a, const Tensor& b, Tensor& sum);
bool finite(const Tensor& x);
}  // namespace cuda

}  // namespace noisymix

// What the tape needs besides ops: the sum of two gradients, and whether numbers are finite.
#pragma once

#include <vector>

#include "engine/tensor.h"

namespace noisymix {

/// i32 [] on the device of the tensors: 1 when any element of any of them is an infinity or NaN, else 0. Does
/// not wait for the device.
Tensor non_finite(const std::vector<Tensor>& tensors);

namespace cpu {
/// sum = a + b; sum may be a.
void add_gradients(const Tensor& a, const Tensor& b, Tensor& sum);
/// Whether no element is an infinity or NaN; floating dtypes only.
bool finite(const Tensor& x);
}  // namespace cpu
namespace cuda {
void add_gradients(const Tensor& a, const Tensor& b, Tensor& sum);
bool finite(const Tensor& x);
/// Sets found (i32 []) to 1 where an element of the tensors is not finite.
void find_non_finite(const std::vector<Tensor>& tensors, Tensor& found);
}  // namespace cuda

}  // namespace noisymix

// The kernels behind Tensor::to(Dtype) and Tensor::full().
#pragma once

#include "engine/tensor.h"

namespace noisymix {

namespace cpu {
void convert(const Tensor& x, Tensor& y);
void fill(Tensor& y, double value);
}  // namespace cpu
namespace cuda {
void convert(const Tensor& x, Tensor& y);
void fill(Tensor& y, double value);
}  // namespace cuda

}  // namespace noisymix

// An emulated GPU has neither cuDNN nor cuBLASLt: everything is computed by kernels of our own.
#include "engine/cuda/backend.h"
#include "engine/cuda/cublaslt.h"
#include "engine/cuda/cudnn_conv.h"

namespace noisymix::cuda {

std::vector<LibraryFacts> libraries() {
  return {};
}

bool cublaslt_matmul(const Tensor&, const Tensor&, const Tensor&, const Product&, Tensor&) {
  return false;
}
bool cudnn_forward(const ConvShape&, const Tensor&, const Tensor&, ConvEpilogue&, Tensor&) {
  return false;
}
bool cudnn_input_grad(const ConvShape&, const Tensor&, const Tensor&, Tensor&) {
  return false;
}
bool cudnn_weight_grad(const ConvShape&, const Tensor&, const Tensor&, Tensor&) {
  return false;
}

}  // namespace noisymix::cuda

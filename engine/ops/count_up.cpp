#include "engine/ops/count_up.h"

#include "engine/kernel.h"

namespace noisymix {
namespace cpu {

void count_up(Tensor& counter) {
  std::int64_t* values = counter.mutable_data<std::int64_t>();
  for (std::int64_t i = 0; i < counter.numel(); ++i) ++values[i];
}

}  // namespace cpu

constexpr Kernel kernel{"count_up", cpu::count_up, NM_CUDA(cuda::count_up)};

void count_up(Tensor& counter) {
  NM_CHECK(counter.dtype() == Dtype::i64, "[count_up] expects an i64 counter, got ", counter.dtype());
  kernel(counter);
}

}  // namespace noisymix

#include "engine/ops/count_up.h"

#include "engine/cuda/launch.h"

namespace noisymix::cuda {
namespace {

__global__ void count_up_kernel(std::int64_t* counter, std::int64_t count) {
  NM_FOR_EACH(i, count)++ counter[i];
}

}  // namespace

void count_up(Tensor& counter) {
  launch(count_up_kernel, blocks_for(counter.numel()), kBlock, counter.mutable_data<std::int64_t>(),
         counter.numel());
}

}  // namespace noisymix::cuda

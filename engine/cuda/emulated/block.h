// The blocks of an emulated grid.
#pragma once

#include <cuda_runtime.h>

#include <functional>

namespace noisymix::emulated {

/// Runs `thread` once for every thread of every block; threadIdx and its like tell which one it is.
void run_grid(dim3 grid, dim3 block, std::size_t shared_bytes, const std::function<void()>& thread);

}  // namespace noisymix::emulated

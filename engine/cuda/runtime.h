// The CUDA runtime behind one check: every call goes through NM_CUDA_CHECK, every launch through launch.h.
#pragma once

#include <cuda_runtime.h>

#include "engine/device.h"
#include "engine/error.h"

namespace noisymix::cuda {

/// Throws DeviceError that names the call, its place and what to do.
void check(cudaError_t status, const char* call, const char* file, int line);

/// The stream on which everything of the selected device runs, in the order of the calls.
cudaStream_t stream();

/// The device that stream() and launches mean on this thread; select() of backend.h chooses it.
int selected();

/// Multiprocessors of the selected device.
int multiprocessors();

}  // namespace noisymix::cuda

#define NM_CUDA_CHECK(call) ::noisymix::cuda::check((call), #call, __FILE__, __LINE__)

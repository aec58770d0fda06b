// A counter that lives where its network lives.
#pragma once

#include "engine/tensor.h"

namespace noisymix {

/// Adds 1 to every element of an i64 tensor, in place. For buffers: not recorded, and does not wait for the
/// device.
void count_up(Tensor& counter);

// --- Kernels -----------------------------------------------------------------------------------------------

namespace cuda {
void count_up(Tensor& counter);
}  // namespace cuda

}  // namespace noisymix

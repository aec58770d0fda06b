// The one place where memory layout and file layout meet: files hold PyTorch's names and shapes.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/io/safetensors.h"
#include "engine/tensor.h"

namespace noisymix {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// A model's state as a file has it: 4-D floating tensors are convolution weights and turn from OHWI to OIHW,
/// everything else stays. The result copies the weights it turns and shares the rest.
Safetensors to_torch_layout(const NamedTensors& state);

/// A file's tensors as a model's state: OIHW to OHWI. When every name starts with "module.", as PyTorch's
/// DataParallel leaves them, the prefix is dropped.
NamedTensors from_torch_layout(const Safetensors& file);

}  // namespace noisymix

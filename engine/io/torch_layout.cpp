#include "engine/io/torch_layout.h"

#include <algorithm>
#include <string_view>

#include "engine/autograd.h"
#include "engine/ops/permute.h"

namespace noisymix {
namespace {

constexpr std::string_view kParallelPrefix = "module.";

bool is_convolution_weight(const Tensor& x) {
  return x.rank() == 4 && is_floating(x.dtype());
}

}  // namespace

Safetensors to_torch_layout(const NamedTensors& state) {
  NoGrad unrecorded;
  Safetensors file;
  for (const auto& [name, value] : state) {
    const Tensor x = value.detach();
    file.tensors.emplace_back(name, is_convolution_weight(x) ? to_channels_first(x) : x);
  }
  return file;
}

NamedTensors from_torch_layout(const Safetensors& file) {
  NoGrad unrecorded;
  const bool parallel = std::all_of(file.tensors.begin(), file.tensors.end(),
                                    [](const auto& item) { return item.first.starts_with(kParallelPrefix); });
  NamedTensors state;
  for (const auto& [name, value] : file.tensors) {
    const Tensor x = value.detach();
    state.emplace_back(parallel ? name.substr(kParallelPrefix.size()) : name,
                       is_convolution_weight(x) ? to_channels_last(x) : x);
  }
  return state;
}

}  // namespace noisymix

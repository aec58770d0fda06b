// libFuzzer target: any bytes either parse as safetensors or give a DataError.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "engine/io/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto file = noisymix::parse_safetensors("input", reinterpret_cast<const std::byte*>(data), size);
    // Types are widened at most fourfold, so an accepted file cannot hold more than this.
    std::size_t bytes = 0;
    for (const auto& [name, tensor] : file.tensors) bytes += tensor.bytes();
    if (bytes > 4 * size) std::abort();
  } catch (const noisymix::DataError&) {
  }
  return 0;
}

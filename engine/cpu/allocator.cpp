#include "engine/cpu/allocator.h"

#include <cstdlib>
#include <cstring>
#include <thread>

#include "engine/error.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace noisymix::cpu {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

}  // namespace

void* CpuBackend::take(std::size_t bytes) noexcept {
  const std::size_t alignment = bytes >= kHugePage ? kHugePage : kAlignment;
  const std::size_t padded = (bytes + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, padded);
#if defined(__linux__)
  // A wish: with huge pages a map costs a few page faults instead of thousands.
  if (memory != nullptr && bytes >= kHugePage) madvise(memory, padded, MADV_HUGEPAGE);
#endif
  return memory;
}

void CpuBackend::give_back(void* memory, std::size_t) noexcept {
  std::free(memory);
}

void* CpuBackend::allocate(std::size_t bytes) {
  void* memory = cache_.allocate(bytes);
  NM_CHECK_AS(DeviceError, memory != nullptr, "[cpu] out of memory: asked for ", bytes, " bytes with ",
              cache_.stats().in_use, " in use; use a smaller batch");
  return memory;
}

void CpuBackend::copy(void* to, const void* from, std::size_t bytes, Copy) {
  if (bytes > 0) std::memcpy(to, from, bytes);
}

std::string CpuBackend::describe() const {
  return "CPU, " + std::to_string(std::thread::hardware_concurrency()) + " hardware threads";
}

}  // namespace noisymix::cpu

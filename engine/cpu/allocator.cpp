#include "engine/cpu/allocator.h"

#include <algorithm>
#include <bit>
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

std::size_t size_class(std::size_t bytes) {
  if (bytes <= 1024) return std::max(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
  const std::size_t step = std::bit_floor(bytes) / 8;
  return (bytes + step - 1) / step * step;
}

// Blocks larger than a huge page ask for such pages: a batch or a feature map is then mapped by a few page
// faults instead of thousands, and the processor finds its addresses sooner.
constexpr std::size_t kHugePage = std::size_t{2} << 20;

void* system_allocate(std::size_t size) {
#if defined(__linux__)
  if (size >= kHugePage) {
    void* memory = nullptr;
    if (posix_memalign(&memory, kHugePage, size) != 0) return nullptr;
    madvise(memory, size, MADV_HUGEPAGE);  // only a wish: without huge pages everything works as before
    return memory;
  }
#endif
  return std::aligned_alloc(kAlignment, size);
}

}  // namespace

CpuBackend::~CpuBackend() { trim_locked(); }

void* CpuBackend::allocate(std::size_t bytes) {
  const std::size_t size = size_class(bytes);
  std::lock_guard lock(mutex_);
  void* memory = nullptr;
  if (auto it = free_.find(size); it != free_.end() && !it->second.empty()) {
    memory = it->second.back();
    it->second.pop_back();
  } else {
    memory = system_allocate(size);
    if (memory == nullptr) {  // the cache may hold what is missing
      trim_locked();
      memory = system_allocate(size);
    }
    NM_CHECK_AS(DeviceError, memory != nullptr, "[cpu] out of memory: asked for ", bytes, " bytes with ",
                stats_.in_use, " in use; use a smaller batch");
    stats_.reserved += static_cast<std::int64_t>(size);
    ++stats_.system_calls;
  }
  stats_.in_use += static_cast<std::int64_t>(size);
  stats_.peak_in_use = std::max(stats_.peak_in_use, stats_.in_use);
  return memory;
}

void CpuBackend::release(void* memory, std::size_t bytes) noexcept {
  const std::size_t size = size_class(bytes);
  std::lock_guard lock(mutex_);
  stats_.in_use -= static_cast<std::int64_t>(size);
  try {
    free_[size].push_back(memory);
  } catch (...) {  // no memory for the list itself: hand the block back instead of caching it
    std::free(memory);
    stats_.reserved -= static_cast<std::int64_t>(size);
  }
}

void CpuBackend::copy(void* to, const void* from, std::size_t bytes) {
  if (bytes > 0) std::memcpy(to, from, bytes);
}

MemoryStats CpuBackend::memory() const {
  std::lock_guard lock(mutex_);
  return stats_;
}

void CpuBackend::reset_peak() {
  std::lock_guard lock(mutex_);
  stats_.peak_in_use = stats_.in_use;
}

void CpuBackend::trim() {
  std::lock_guard lock(mutex_);
  trim_locked();
}

void CpuBackend::trim_locked() noexcept {
  for (auto& [size, blocks] : free_) {
    for (void* block : blocks) std::free(block);
    stats_.reserved -= static_cast<std::int64_t>(size * blocks.size());
  }
  free_.clear();
}

std::string CpuBackend::describe() const {
  return "CPU, " + std::to_string(std::thread::hardware_concurrency()) + " hardware threads";
}

}  // namespace noisymix::cpu

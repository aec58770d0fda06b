#include "engine/cpu/allocator.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <thread>

#include "engine/error.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace noisymix::cpu {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kHugePage = 2 * kMiB;
constexpr std::size_t kLargest = std::size_t{1}
                                 << 62;  // far beyond any machine; sizes are not rounded past it

}  // namespace

CpuBackend::~CpuBackend() {
  trim_locked();
}

std::size_t CpuBackend::rounded(std::size_t bytes) const {
  if (bytes <= 1024) return std::max(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
  const std::size_t step = bytes <= kMiB ? std::bit_floor(bytes) / 8 : kMiB / 8;
  return (std::min(bytes, kLargest) + step - 1) / step * step;
}

void* CpuBackend::from_system(std::size_t size) {
  const std::size_t alignment = size >= kHugePage ? kHugePage : kAlignment;
  const std::size_t padded = (size + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, padded);
  if (memory == nullptr) {  // the cache may hold what is missing
    trim_locked();
    memory = std::aligned_alloc(alignment, padded);
  }
  NM_CHECK_AS(DeviceError, memory != nullptr, "[cpu] out of memory: asked for ", size, " bytes with ",
              stats_.in_use, " in use; use a smaller batch");
#if defined(__linux__)
  // A wish: with huge pages a map costs a few page faults instead of thousands.
  if (size >= kHugePage) madvise(memory, padded, MADV_HUGEPAGE);
#endif
  stats_.reserved += static_cast<std::int64_t>(size);
  ++stats_.system_calls;
  return memory;
}

void* CpuBackend::take_small(std::size_t size) {
  auto found = free_small_.find(size);
  if (found == free_small_.end() || found->second.empty()) return from_system(size);
  void* memory = found->second.back();
  found->second.pop_back();
  return memory;
}

void* CpuBackend::take_large(std::size_t size) {
  auto best = free_large_.lower_bound({size, nullptr});
  if (best == free_large_.end()) {
    auto* memory = static_cast<std::byte*>(from_system(size));
    pieces_.emplace(memory, Piece{size, false, true});
    return memory;
  }
  std::byte* const memory = best->second;
  const std::size_t rest = best->first - size;
  if (rest >= kMiB) {
    pieces_.emplace(memory + size, Piece{rest, true, false});
    free_large_.emplace(rest, memory + size);
    pieces_.at(memory).size = size;
  }
  free_large_.erase({size + rest, memory});
  pieces_.at(memory).free = false;
  return memory;
}

void* CpuBackend::allocate(std::size_t bytes) {
  const std::size_t size = rounded(bytes);
  std::lock_guard lock(mutex_);
  void* memory = size <= kMiB ? take_small(size) : take_large(size);
  stats_.in_use += static_cast<std::int64_t>(size);
  stats_.peak_in_use = std::max(stats_.peak_in_use, stats_.in_use);
  return memory;
}

/// Marks a piece as free and joins it with free neighbours of its region.
void CpuBackend::free_large(std::byte* memory) {
  auto piece = pieces_.find(memory);
  const auto absorb = [&](Pieces::iterator left, Pieces::iterator right) {
    if (left->second.free) free_large_.erase({left->second.size, left->first});
    if (right->second.free) free_large_.erase({right->second.size, right->first});
    left->second.size += right->second.size;
    pieces_.erase(right);
    return left;
  };
  if (const auto next = std::next(piece); next != pieces_.end() && next->second.free && !next->second.first)
    piece = absorb(piece, next);
  if (!piece->second.first && std::prev(piece)->second.free) piece = absorb(std::prev(piece), piece);
  piece->second.free = true;
  free_large_.emplace(piece->second.size, piece->first);
}

void CpuBackend::release(void* memory, std::size_t bytes) noexcept {
  const std::size_t size = rounded(bytes);
  std::lock_guard lock(mutex_);
  stats_.in_use -= static_cast<std::int64_t>(size);
  try {
    if (size <= kMiB)
      free_small_[size].push_back(memory);
    else
      free_large(static_cast<std::byte*>(memory));
  } catch (...) {             // no memory for the lists themselves
    if (size > kMiB) return;  // the piece stays unused
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
  for (auto& [size, blocks] : free_small_) {
    for (void* block : blocks) std::free(block);
    stats_.reserved -= static_cast<std::int64_t>(size * blocks.size());
  }
  free_small_.clear();
  for (auto piece = pieces_.begin(); piece != pieces_.end();) {
    const auto next = std::next(piece);
    const bool whole_region =
        piece->second.first && piece->second.free && (next == pieces_.end() || next->second.first);
    if (whole_region) {
      std::free(piece->first);
      stats_.reserved -= static_cast<std::int64_t>(piece->second.size);
      free_large_.erase({piece->second.size, piece->first});
      pieces_.erase(piece);
    }
    piece = next;
  }
}

std::string CpuBackend::describe() const {
  return "CPU, " + std::to_string(std::thread::hardware_concurrency()) + " hardware threads";
}

}  // namespace noisymix::cpu

#include "engine/block_cache.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <iterator>

namespace noisymix {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kLargest = std::size_t{1}
                                 << 62;  // far beyond any machine; sizes are not rounded past it

}  // namespace

BlockCache::BlockCache(MemorySource& source, const BlockCacheOptions& options)
    : source_(source), options_(options) {}

BlockCache::~BlockCache() {
  trim_locked();
}

std::size_t BlockCache::rounded(std::size_t bytes) const {
  const std::size_t unit = options_.alignment;
  if (bytes <= 1024) return std::max(unit, (bytes + unit - 1) / unit * unit);
  const std::size_t step = std::max(unit, bytes <= kMiB ? std::bit_floor(bytes) / 8 : kMiB / 8);
  return (std::min(bytes, kLargest) + step - 1) / step * step;
}

void* BlockCache::from_source(std::size_t size) {
  void* memory = source_.take(size);
  if (memory == nullptr) {  // the cache may hold what is missing
    trim_locked();
    memory = source_.take(size);
  }
  if (memory == nullptr) return nullptr;
  stats_.reserved += static_cast<std::int64_t>(size);
  ++stats_.system_calls;
  return memory;
}

void* BlockCache::take_small(std::size_t size) {
  auto found = free_small_.find(size);
  if (found == free_small_.end() || found->second.empty()) return from_source(size);
  void* memory = found->second.back();
  found->second.pop_back();
  return memory;
}

void* BlockCache::take_large(std::size_t size) {
  auto best = free_large_.lower_bound({size, nullptr});
  if (best == free_large_.end()) {
    std::size_t region = std::max(size, options_.region);
    auto* memory = static_cast<std::byte*>(from_source(region));
    if (memory == nullptr && region > size) memory = static_cast<std::byte*>(from_source(region = size));
    if (memory == nullptr) return nullptr;
    pieces_.emplace(memory, Piece{region, true, true});
    best = free_large_.emplace(region, memory).first;
  }
  std::byte* const memory = best->second;
  const std::size_t rest = best->first - size;
  if (rest >= options_.smallest_piece) {
    pieces_.emplace(memory + size, Piece{rest, true, false});
    free_large_.emplace(rest, memory + size);
    pieces_.at(memory).size = size;
  }
  free_large_.erase({size + rest, memory});
  pieces_.at(memory).free = false;
  return memory;
}

void* BlockCache::allocate(std::size_t bytes) {
  const std::size_t size = rounded(bytes);
  std::lock_guard lock(mutex_);
  void* memory = size <= options_.small ? take_small(size) : take_large(size);
  if (memory == nullptr) return nullptr;
  stats_.in_use += static_cast<std::int64_t>(size);
  stats_.peak_in_use = std::max(stats_.peak_in_use, stats_.in_use);
  return memory;
}

/// Marks a piece as free and joins it with free neighbours of its region.
void BlockCache::free_large(std::byte* memory) {
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

void BlockCache::release(void* memory, std::size_t bytes) noexcept {
  const std::size_t size = rounded(bytes);
  std::lock_guard lock(mutex_);
  stats_.in_use -= static_cast<std::int64_t>(size);
  try {
    if (size <= options_.small)
      free_small_[size].push_back(memory);
    else
      free_large(static_cast<std::byte*>(memory));
  } catch (...) {                       // no memory for the lists themselves
    if (size > options_.small) return;  // the piece stays unused
    source_.give_back(memory, size);
    stats_.reserved -= static_cast<std::int64_t>(size);
  }
}

MemoryStats BlockCache::stats() const {
  std::lock_guard lock(mutex_);
  return stats_;
}

void BlockCache::reset_peak() {
  std::lock_guard lock(mutex_);
  stats_.peak_in_use = stats_.in_use;
}

void BlockCache::trim() {
  std::lock_guard lock(mutex_);
  trim_locked();
}

void BlockCache::trim_locked() noexcept {
  for (auto& [size, blocks] : free_small_) {
    for (void* block : blocks) source_.give_back(block, size);
    stats_.reserved -= static_cast<std::int64_t>(size * blocks.size());
  }
  free_small_.clear();
  for (auto piece = pieces_.begin(); piece != pieces_.end();) {
    const auto next = std::next(piece);
    const bool whole_region =
        piece->second.first && piece->second.free && (next == pieces_.end() || next->second.first);
    if (whole_region) {
      source_.give_back(piece->first, piece->second.size);
      stats_.reserved -= static_cast<std::int64_t>(piece->second.size);
      free_large_.erase({piece->second.size, piece->first});
      pieces_.erase(piece);
    }
    piece = next;
  }
}

std::vector<std::size_t> BlockCache::largest(std::size_t count) const {
  std::lock_guard lock(mutex_);
  std::vector<std::size_t> sizes;
  for (const auto& [memory, piece] : pieces_)
    if (!piece.free) sizes.push_back(piece.size);
  std::sort(sizes.begin(), sizes.end(), std::greater<>());
  sizes.resize(std::min(sizes.size(), count));
  return sizes;
}

}  // namespace noisymix

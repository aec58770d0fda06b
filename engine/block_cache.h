// The cache of freed memory blocks that every device's allocator is made of.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "engine/backend.h"

namespace noisymix {

/// Where a cache gets its memory from.
class MemorySource {
 public:
  virtual ~MemorySource() = default;
  /// Null when there is not enough.
  virtual void* take(std::size_t bytes) noexcept = 0;
  virtual void give_back(void* memory, std::size_t bytes) noexcept = 0;
};

struct BlockCacheOptions {
  std::size_t alignment = 64;  ///< of every block; sizes are multiples of it
  std::size_t small =
      std::size_t{1} << 20;  ///< blocks up to this size are kept by size, larger ones cut from regions
  std::size_t smallest_piece = std::size_t{1} << 20;  ///< no smaller rest of a region is kept apart
  std::size_t region = 0;                             ///< least to ask the source for when a region is wanted
};

/// Small blocks are rounded up to a size class (1/8 of a power of two) and cached by class. Larger ones are
/// cut from regions: a request takes the smallest free piece that holds it and leaves the rest; freed
/// neighbours join again. So the many small maps of a network's deep half and the few large ones of its first
/// half share memory, and what is reserved stays close to what is in use at once. Nothing is written to the
/// blocks. Thread-safe.
class BlockCache {
 public:
  BlockCache(MemorySource& source, const BlockCacheOptions& options);
  ~BlockCache();
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;

  /// Null when the source has not enough, even after everything unused went back to it.
  void* allocate(std::size_t bytes);
  void release(void* memory, std::size_t bytes) noexcept;
  MemoryStats stats() const;
  void reset_peak();
  /// Gives unused memory back to the source.
  void trim();
  /// The sizes of the largest blocks in use, largest first.
  std::vector<std::size_t> largest(std::size_t count) const;

 private:
  /// A part of a region; parts follow each other without gaps.
  struct Piece {
    std::size_t size;
    bool free;
    bool first;  // of its region
  };
  using Pieces = std::map<std::byte*, Piece>;
  std::size_t rounded(std::size_t bytes) const;
  void* take_small(std::size_t size);
  void* take_large(std::size_t size);
  void* from_source(std::size_t size);
  void free_large(std::byte* memory);
  void trim_locked() noexcept;

  MemorySource& source_;
  BlockCacheOptions options_;
  mutable std::mutex mutex_;
  std::map<std::size_t, std::vector<void*>> free_small_;  // by size class
  Pieces pieces_;                                         // of all regions
  std::set<std::pair<std::size_t, std::byte*>> free_large_;
  MemoryStats stats_;
};

}  // namespace noisymix

// CPU memory with a cache of freed blocks, so that a training step after the first asks the system for
// nothing.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "engine/backend.h"

namespace noisymix::cpu {

/// Blocks are 64-byte aligned. Up to 1 MiB they are rounded up to a size class (1/8 of a power of two) and
/// cached by class. Larger ones are cut from regions: a request takes the smallest free piece that holds it
/// and leaves the rest; freed neighbours join again. So the many small maps of a network's deep half and the
/// few large ones of its first half share memory, and what is reserved stays close to what is in use at once.
class CpuBackend final : public Backend {
 public:
  ~CpuBackend() override;
  void* allocate(std::size_t bytes) override;
  void release(void* memory, std::size_t bytes) noexcept override;
  void copy(void* to, const void* from, std::size_t bytes) override;
  void synchronize() override {}
  MemoryStats memory() const override;
  void reset_peak() override;
  void trim() override;
  std::string describe() const override;

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
  void* from_system(std::size_t size);
  void free_large(std::byte* memory);
  void trim_locked() noexcept;

  mutable std::mutex mutex_;
  std::map<std::size_t, std::vector<void*>> free_small_;  // by size class
  Pieces pieces_;                                         // of all regions
  std::set<std::pair<std::size_t, std::byte*>> free_large_;
  MemoryStats stats_;
};

}  // namespace noisymix::cpu

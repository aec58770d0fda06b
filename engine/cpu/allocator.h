// CPU memory with a cache of freed blocks, so that a training step after the first asks the system for
// nothing.
#pragma once

#include "engine/block_cache.h"

namespace noisymix::cpu {

/// Blocks are 64-byte aligned; those from 2 MiB lie on huge pages where the system has them.
class CpuBackend final : public Backend, private MemorySource {
 public:
  void* allocate(std::size_t bytes) override;
  void release(void* memory, std::size_t bytes) noexcept override { cache_.release(memory, bytes); }
  void copy(void* to, const void* from, std::size_t bytes, Copy) override;
  void synchronize() override {}
  MemoryStats memory() const override { return cache_.stats(); }
  void reset_peak() override { cache_.reset_peak(); }
  void trim() override { cache_.trim(); }
  std::string describe() const override;

 private:
  void* take(std::size_t bytes) noexcept override;
  void give_back(void* memory, std::size_t bytes) noexcept override;
  BlockCache cache_{*this, {}};
};

}  // namespace noisymix::cpu

// CPU memory with a cache of freed blocks, so that a training step after the first asks the system for nothing.
#pragma once

#include <map>
#include <mutex>
#include <vector>

#include "engine/backend.h"

namespace noisymix::cpu {

/// Blocks are 64-byte aligned and rounded up to a size class (1/8 of a power of two), so that the equal shapes of
/// consecutive steps reuse each other's memory.
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
  void trim_locked() noexcept;
  mutable std::mutex mutex_;
  std::map<std::size_t, std::vector<void*>> free_;  // by size class
  MemoryStats stats_;
};

}  // namespace noisymix::cpu

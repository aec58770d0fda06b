// GPU memory and the list of GPUs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/backend.h"
#include "engine/block_cache.h"

namespace noisymix::cuda {

/// What a device is, for messages and `noisymix doctor`.
struct DeviceFacts {
  std::string name;
  int major = 0, minor = 0, multiprocessors = 0;
  std::size_t memory = 0, free_memory = 0, l2 = 0;
};

/// A library that is looked for when the program runs.
struct LibraryFacts {
  std::string name, version, file;
  std::string missing;  ///< why it was not found; empty when it was
};
std::vector<LibraryFacts> libraries();

/// Devices that can be used now; 0 without a driver or GPU. `reason` says why there are none.
int device_count(std::string* reason = nullptr);
DeviceFacts facts(int device);
/// Makes a device the one that launches and copies of this thread mean.
void select(int device);
/// CUDA versions as 1000 * major + 10 * minor; 0 where unknown.
int driver_version();
int runtime_version();

/// Memory that outlives a captured graph: while one is active, the selected device's allocations come from
/// it.
class MemoryPool {
 public:
  explicit MemoryPool(int device);
  ~MemoryPool();
  MemoryPool(const MemoryPool&) = delete;
  MemoryPool& operator=(const MemoryPool&) = delete;

  /// While alive, allocations are served by the pool.
  class Scope {
   public:
    explicit Scope(MemoryPool& pool);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    int device_;
  };

 private:
  friend class CudaBackend;
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with the blocks that are still out
};

/// The backend of GPU `index`; throws DeviceError with the reason when there is none.
Backend& backend(int index);

}  // namespace noisymix::cuda

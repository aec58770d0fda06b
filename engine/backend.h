// The interface of a device: memory and description, never an op.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/device.h"

namespace noisymix {

/// Counters of a caching allocator, in bytes.
struct MemoryStats {
  std::int64_t in_use = 0;
  std::int64_t peak_in_use = 0;
  std::int64_t reserved = 0;       ///< taken from the system, in use or cached
  std::int64_t system_calls = 0;   ///< how often the system was asked for memory
};

/// Which way a copy goes.
enum class Copy { to_device, to_host, within };

class Backend {
 public:
  virtual ~Backend() = default;
  virtual void* allocate(std::size_t bytes) = 0;
  virtual void release(void* memory, std::size_t bytes) noexcept = 0;
  /// Copies between this device and the host, or within the device. Host memory may be reused when it returns.
  virtual void copy(void* to, const void* from, std::size_t bytes, Copy direction) = 0;
  virtual void synchronize() = 0;
  virtual MemoryStats memory() const = 0;
  /// Starts a new peak measurement at the bytes now in use.
  virtual void reset_peak() = 0;
  /// Gives cached, unused memory back to the system.
  virtual void trim() = 0;
  virtual std::string describe() const = 0;
};

/// The backend of a device; throws DeviceError when this build or machine has none.
Backend& backend_of(Device device);

/// Makes a GPU the one on which this thread launches kernels; nothing to do for the CPU.
void select_device(Device device);

/// Every device that can be used now, the CPU first.
std::vector<Device> available_devices();

}  // namespace noisymix

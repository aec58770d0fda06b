// Where a tensor lives.
#pragma once

#include <ostream>
#include <string>

namespace noisymix {

enum class DeviceKind { cpu, cuda };

/// A plain value; index tells GPUs apart and is 0 for the CPU.
struct Device {
  DeviceKind kind = DeviceKind::cpu;
  int index = 0;

  bool operator==(const Device&) const = default;
  bool is_cpu() const { return kind == DeviceKind::cpu; }
  std::string str() const { return is_cpu() ? "cpu" : "cuda:" + std::to_string(index); }
};

inline std::ostream& operator<<(std::ostream& out, const Device& device) { return out << device.str(); }

/// Parses "auto", "cpu", "cuda" or "cuda:N". "auto" takes a usable GPU, else the CPU. Throws DeviceError with the
/// reason when the device is not in this build or machine.
Device parse_device(const std::string& text);

}  // namespace noisymix

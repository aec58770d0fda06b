// The one list of built backends: no self-registering statics, which linkers drop from static libraries.
#include "engine/backend.h"

#include "engine/cpu/allocator.h"
#include "engine/error.h"

namespace noisymix {

Backend& backend_of(Device device) {
  // Never destroyed: tensors in static storage may outlive every other static object.
  static auto* cpu_backend = new cpu::CpuBackend();
  NM_CHECK_AS(DeviceError, device.is_cpu(), "[device] ", device, " is not available: this build has no CUDA backend");
  return *cpu_backend;
}

std::vector<Device> available_devices() { return {Device{}}; }

Device parse_device(const std::string& text) {
  if (text == "auto" || text == "cpu") return Device{};
  if (text == "cuda" || text.rfind("cuda:", 0) == 0)
    fail<DeviceError>("[device] ", text, " is not available: this build has no CUDA backend; use --device cpu");
  fail<DeviceError>("[device] unknown device '", text, "', expected auto, cpu, cuda or cuda:N");
}

}  // namespace noisymix

// The one list of built backends: no self-registering statics, which linkers drop from static libraries.
#include "engine/backend.h"

#include <charconv>

#include "engine/cpu/allocator.h"
#include "engine/error.h"
#ifdef NOISYMIX_CUDA
#include "engine/cuda/backend.h"
#endif

namespace noisymix {

Backend& backend_of(Device device) {
  // Never destroyed: tensors in static storage may outlive every other static object.
  static auto* cpu_backend = new cpu::CpuBackend();
  if (device.is_cpu()) return *cpu_backend;
#ifdef NOISYMIX_CUDA
  return cuda::backend(device.index);
#else
  fail<DeviceError>("[device] ", device, " is not available: this build has no CUDA backend");
#endif
}

void select_device([[maybe_unused]] Device device) {
#ifdef NOISYMIX_CUDA
  if (!device.is_cpu()) cuda::select(device.index);
#endif
}

std::vector<Device> available_devices() {
  std::vector<Device> devices{Device{}};
#ifdef NOISYMIX_CUDA
  const int count = cuda::device_count();
  for (int i = 0; i < count; ++i) devices.push_back({DeviceKind::cuda, i});
#endif
  return devices;
}

namespace {

/// N of "cuda:N"; -1 when it is no number.
int index_of(const std::string& text) {
  int index = -1;
  const char *begin = text.data() + 5, *end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(begin, end, index);
  return error == std::errc() && stop == end && index >= 0 ? index : -1;
}

}  // namespace

Device parse_device(const std::string& text) {
  if (text == "cpu") return Device{};
  if (text == "auto") {
#if defined(NOISYMIX_CUDA) && !defined(NOISYMIX_CUDA_EMULATED)
    if (cuda::device_count() > 0) return {DeviceKind::cuda, 0};
#endif
    return Device{};
  }
  Device device{DeviceKind::cuda, 0};
  if (text.rfind("cuda:", 0) == 0) device.index = index_of(text);
  if ((text != "cuda" && text.rfind("cuda:", 0) != 0) || device.index < 0)
    fail<DeviceError>("[device] unknown device '", text, "', expected auto, cpu, cuda or cuda:N");
#ifdef NOISYMIX_CUDA
  backend_of(device);  // says why when there is none
#else
  fail<DeviceError>("[device] ", text, " is not available: this build has no CUDA backend; use --device cpu");
#endif
  return device;
}

}  // namespace noisymix

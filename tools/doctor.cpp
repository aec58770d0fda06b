#include "tools/doctor.h"

#include <cstdio>
#include <sstream>
#include <thread>

#include "engine/backend.h"
#include "engine/cpu/cpu_features.h"
#include "engine/cpu/parallel.h"
#ifdef NOISYMIX_CUDA
#include "engine/cuda/backend.h"
#endif

namespace noisymix {
namespace {

void row(std::ostringstream& out, const std::string& name, const std::string& value) {
  out << name << std::string(name.size() < 14 ? 14 - name.size() : 1, ' ') << value << "\n";
}

#ifdef NOISYMIX_CUDA
std::string gibibytes(std::size_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f GiB", static_cast<double>(bytes) / (1 << 30));
  return text;
}

#ifdef NOISYMIX_CUDA_EMULATED
std::string versions() {
  return "emulated: kernels run on the CPU, for tests only";
}
#else
std::string dotted(int version) {
  return version == 0 ? "none" : std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

std::string versions() {
  return "built with " + dotted(cuda::runtime_version()) + ", the driver supports " +
         dotted(cuda::driver_version());
}
#endif

void examine_gpus(std::ostringstream& out, DoctorReport& report) {
  row(out, "CUDA", versions());
  std::string reason;
  const int count = cuda::device_count(&reason);
  if (count == 0) row(out, "GPU", "none: " + reason);
  for (int i = 0; i < count; ++i) {
    const cuda::DeviceFacts f = cuda::facts(i);
    row(out, "cuda:" + std::to_string(i),
        f.name + ", sm_" + std::to_string(f.major) + std::to_string(f.minor) + ", " +
            std::to_string(f.multiprocessors) + " multiprocessors, " + gibibytes(f.free_memory) + " of " +
            gibibytes(f.memory) + " free");
  }
  report.gpu_usable = count > 0;
  for (const cuda::LibraryFacts& library : cuda::libraries()) {
    if (library.missing.empty()) {
      row(out, library.name, library.version + ", " + library.file);
      continue;
    }
    row(out, library.name, "not found: " + library.missing);
    row(out, "",
        "slower kernels of our own stand in; install it, or name its folder in NOISYMIX_LIBRARY_PATH");
  }
}
#else
void examine_gpus(std::ostringstream& out, DoctorReport&) {
  row(out, "CUDA", "not in this build; configure with -DNOISYMIX_CUDA=ON to use NVIDIA GPUs");
}
#endif

}  // namespace

DoctorReport examine_machine() {
  DoctorReport report;
  std::ostringstream out;
  row(out, "noisymix", NOISYMIX_VERSION);
  row(out, "processor",
      std::to_string(std::thread::hardware_concurrency()) + " hardware threads, kernels for " +
          name_of(cpu::active_isa()) + ", " + std::to_string(cpu::threads()) + " threads used");
  examine_gpus(out, report);
  row(out, "--device auto", "means " + parse_device("auto").str());
  report.text = out.str();
  return report;
}

}  // namespace noisymix

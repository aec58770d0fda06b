// The graphs handed to cuDNN, compiled for a GPU described as text: this needs the library, but no GPU.
#include <doctest/doctest.h>

#include "engine/cuda/cudnn_conv.h"
#include "tests/skipped.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

constexpr const char* kHopper = R"json({"deviceName":"NVIDIA H200","deviceVer":900,"driverVer":13000,
"multiProcessorCount":132,"smClockRateKHz":1980000,"memClockRateKHz":3201000,"l2CacheSize":62914560,"warpSize":32,
"maxSharedMemoryPerBlock":49152,"maxSharedMemoryPerBlockOptin":232448,"reservedSharedMemoryPerBlock":1024,
"maxRegistersPerSM":65536,"regsPerBlock":65536,"maxGridSize":[2147483647,65535,65535],"maxBlockSize":[1024,1024,64],
"maxThreadsPerBlock":1024,"maxThreadsPerSM":2048,"maxCtasPerSM":32,"pciDeviceId":0,"isTccDriver":0,
"supportCoopLaunch":1,"totalGlobalMem":150000000000,"cudaDeviceId":0})json";

}  // namespace

TEST_CASE("cuda: cuDNN has engines for every convolution of the networks") {
  if (!cuda::cudnn_compile_for(kHopper)) {
    report_skipped("needs cuDNN 9.8");
    return;
  }
  struct Layer {
    std::int64_t size, c, o, kernel, stride;
  };
  for (const Dtype dtype : {Dtype::bf16, Dtype::f32})
    for (const Layer& l : {Layer{32, 3, 64, 3, 1}, Layer{32, 64, 64, 3, 1}, Layer{32, 64, 128, 3, 2},
                           Layer{32, 64, 128, 1, 2}, Layer{16, 128, 128, 3, 1}, Layer{8, 256, 512, 3, 2},
                           Layer{4, 512, 512, 3, 1}, Layer{32, 16, 32, 3, 1}, Layer{8, 128, 128, 3, 1}}) {
      const std::int64_t pad = l.kernel / 2, out = (l.size + 2 * pad - l.kernel) / l.stride + 1;
      const ConvShape shape{384, l.size,   l.size,   l.c, l.o, l.kernel, l.kernel, out,
                            out, l.stride, l.stride, pad, pad, 1,        1,        1};
      std::vector<std::string> refusals;
      const cuda::ConvEngines engines = cuda::cudnn_engines(shape, dtype, &refusals);
      INFO(name_of(dtype) << " " << l.size << " pixels, " << l.c << " to " << l.o << " channels");
      CHECK(engines.forward > 0);
      CHECK(engines.input_grad > 0);
      CHECK(engines.weight_grad > 0);
    }
  cuda::cudnn_compile_for("");
}

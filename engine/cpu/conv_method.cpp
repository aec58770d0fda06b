#include "engine/cpu/conv_method.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <string>

#include "engine/cpu/parallel.h"
#include "engine/error.h"

namespace noisymix::cpu {
namespace {

ConvMethod requested() {
  const char* value = std::getenv("NOISYMIX_CONV");
  const std::string name = value == nullptr ? "" : value;
  if (name.empty() || name == "auto") return ConvMethod::automatic;
  if (name == "direct") return ConvMethod::direct;
  if (name == "winograd") return ConvMethod::winograd;
  fail<ConfigError>("NOISYMIX_CONV expects auto, direct or winograd, got ", name);
}

std::atomic<ConvMethod>& method() {
  static std::atomic<ConvMethod> current{requested()};
  return current;
}

}  // namespace

ConvMethod conv_method() {
  return method().load(std::memory_order_relaxed);
}

void set_conv_method(ConvMethod value) {
  method().store(value);
}

bool winograd_applies(const ConvShape& s) {
  return s.kh == 3 && s.kw == 3 && s.stride_h == 1 && s.stride_w == 1 && s.dilation_h == 1 &&
         s.dilation_w == 1 && s.groups == 1;
}

bool winograd_pays(const ConvShape& s) {
  // Measured on AVX-512, all three passes together, as multiples of the direct kernels' speed:
  //   32 channels 1.25, 48 channels 1.45, 64 channels 1.6, 128 and more 1.7; but 16 channels 0.97 and 24
  //   channels 0.8, because the transforms of a tile cost c + o and its products c * o;
  //   maps of 2x2 1.5, 5x5 1.1, 7x7 1.2, but 3x3 0.93 and 1x1 0.45: the outermost tiles reach outside;
  //   64 tiles 1.3, 32 tiles 1.0, 16 tiles 0.8, 4 tiles 0.5: every call transforms the filter anew.
  constexpr std::int64_t kLeastChannels = 32, kLeastTiles = 48;
  if (!winograd_applies(s) || std::min(s.c, s.o) < kLeastChannels) return false;
  const std::int64_t tiles = chunk_count(s.ho, 2) * chunk_count(s.wo, 2);
  const bool fills_tiles = 2 * 9 * s.ho * s.wo >= 3 * 16 * tiles;  // products: direct at least 1.5 times
  return fills_tiles && s.n * tiles >= kLeastTiles;
}

bool use_winograd(const ConvShape& s) {
  switch (conv_method()) {
    case ConvMethod::direct:
      return false;
    case ConvMethod::winograd:
      return winograd_applies(s);
    case ConvMethod::automatic:
      break;
  }
  return winograd_pays(s);
}

}  // namespace noisymix::cpu

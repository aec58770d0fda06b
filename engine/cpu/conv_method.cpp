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
  return winograd_applies(s) && std::min(s.c, s.o) >= 16;
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

#include "engine/ops/convert.h"

#include <algorithm>

#include "engine/cpu/parallel.h"

namespace noisymix::cpu {
namespace {

constexpr std::int64_t kGrain = 1 << 16;

}  // namespace

/// y = x in another dtype.
void convert(const Tensor& x, Tensor& y) {
  dispatch_all(x.dtype(), [&]<typename From>() {
    dispatch_all(y.dtype(), [&]<typename To>() {
      const From* from = x.data<From>();
      To* to = y.mutable_data<To>();
      parallel_for(x.numel(), kGrain, [=](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) to[i] = convert_value<To>(from[i]);
      });
    });
  });
}

void fill(Tensor& y, double value) {
  dispatch_all(y.dtype(),
               [&]<typename T>() { std::fill_n(y.mutable_data<T>(), y.numel(), convert_value<T>(value)); });
}

}  // namespace noisymix::cpu

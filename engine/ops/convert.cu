#include "engine/ops/convert.h"

#include "engine/cuda/launch.h"

namespace noisymix::cuda {
namespace {

/// N elements a thread, so that f32 and bf16 move in vectors.
template <int N, typename From, typename To>
__global__ void convert_kernel(const From* __restrict__ x, To* __restrict__ y, std::int64_t packs) {
  NM_FOR_EACH(i, packs) {
    const Pack<From, N> in = load_pack<N>(x + i * N);
    Pack<To, N> out;
#pragma unroll
    for (int k = 0; k < N; ++k) out.at[k] = convert_value<To>(in.at[k]);
    store_pack<N>(y + i * N, out);
  }
}

template <typename T>
__global__ void fill_kernel(T* y, T value, std::int64_t count) {
  NM_FOR_EACH(i, count) y[i] = value;
}

}  // namespace

void convert(const Tensor& x, Tensor& y) {
  dispatch_all(x.dtype(), [&]<typename From>() {
    dispatch_all(y.dtype(), [&]<typename To>() {
      constexpr int n = 16 / (sizeof(From) > sizeof(To) ? sizeof(From) : sizeof(To));
      const From* from = x.data<From>();
      To* to = y.mutable_data<To>();
      const std::int64_t count = x.numel();
      if (count % n == 0 && packable(from, to))
        launch(convert_kernel<n, From, To>, blocks_for(count / n), kBlock, from, to, count / n);
      else
        launch(convert_kernel<1, From, To>, blocks_for(count), kBlock, from, to, count);
    });
  });
}

void fill(Tensor& y, double value) {
  dispatch_all(y.dtype(), [&]<typename T>() {
    launch(fill_kernel<T>, blocks_for(y.numel()), kBlock, y.mutable_data<T>(), convert_value<T>(value),
           y.numel());
  });
}

}  // namespace noisymix::cuda

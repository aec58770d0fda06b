#include "engine/ops/random.h"

#include "engine/cuda/launch.h"
#include "engine/philox.h"

namespace noisymix::cuda {
namespace {

/// 53 bits of two words, as Key::uniform makes them.
__device__ inline double bits53(std::uint32_t high, std::uint32_t low) {
  return static_cast<double>(((static_cast<std::uint64_t>(high) << 32) | low) >> 11);
}

/// a + b * c rounded twice, as on the CPU; the compiler would fuse it.
__device__ inline double add_product(double a, double b, double c) {
#ifdef __CUDA_ARCH__
  return __dadd_rn(a, __dmul_rn(b, c));
#else
  return a + b * c;
#endif
}

struct Uniform {
  double low, span, last;
  __device__ double operator()(std::uint32_t w0, std::uint32_t w1, std::uint32_t, std::uint32_t) const {
    const double value = add_product(low, span, bits53(w0, w1) * 0x1p-53);
    return value < last ? value : last;
  }
};

struct Normal {
  double mean, stddev;
  __device__ double operator()(std::uint32_t w0, std::uint32_t w1, std::uint32_t w2, std::uint32_t w3) const {
    const double u = (bits53(w0, w1) + 1) * 0x1p-53, v = bits53(w2, w3) * 0x1p-53;
    return add_product(mean, stddev, std::sqrt(-2 * std::log(u)) * std::cos(2 * 3.14159265358979323846 * v));
  }
};

template <typename T, typename Draw>
__global__ void draw_kernel(T* y, std::int64_t count, std::uint64_t key, Draw draw) {
  NM_FOR_EACH(i, count) {
    std::uint32_t w0, w1, w2, w3;
    philox_block(key, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i >> 32), w0, w1, w2, w3);
    y[i] = T(static_cast<compute_t<T>>(draw(w0, w1, w2, w3)));
  }
}

template <typename Draw>
void fill(Tensor& y, Key key, Draw draw) {
  dispatch_floating("random", y.dtype(), [&]<typename T>() {
    launch(draw_kernel<T, Draw>, blocks_for(y.numel()), kBlock, y.mutable_data<T>(), y.numel(), key.words(),
           draw);
  });
}

}  // namespace

void random_uniform(Tensor& y, Key key, double low, double high, double last) {
  fill(y, key, Uniform{low, high - low, last});
}

void random_normal(Tensor& y, Key key, double mean, double stddev) {
  fill(y, key, Normal{mean, stddev});
}

}  // namespace noisymix::cuda

// Convolutions on the GPU: by cuDNN where it is there and knows the dtype, else by tile_product.cuh.
#include "engine/ops/conv2d.h"

#include "engine/cuda/column_sums.h"
#include "engine/cuda/cudnn_conv.h"
#include "engine/cuda/launch.h"
#include "engine/cuda/tile_product.cuh"
#include "engine/profile.h"

namespace noisymix::cuda {
namespace {

/// x at depth k = (r, q, channel) of output pixel p, zero outside the map.
template <typename T>
struct InputTaps {
  const T* x;
  ConvShape s;
  std::int64_t first_channel;
  __device__ compute_t<T> operator()(std::int64_t p, std::int64_t k) const {
    const std::int64_t channels = s.c / s.groups, tap = k / channels;
    const std::int64_t column = p % s.wo, row = p / s.wo % s.ho, image = p / (s.wo * s.ho);
    const std::int64_t h = row * s.stride_h - s.padding_h + tap / s.kw * s.dilation_h;
    const std::int64_t w = column * s.stride_w - s.padding_w + tap % s.kw * s.dilation_w;
    if (h < 0 || h >= s.h || w < 0 || w >= s.w) return 0;
    return value_of(x[((image * s.h + h) * s.w + w) * s.c + first_channel + k % channels]);
  }
};

/// dy at depth k = (r, q, output channel) of input pixel p: the output pixel whose tap (r, q) falls on p, or
/// zero.
template <typename T>
struct OutputTaps {
  const T* dy;
  ConvShape s;
  std::int64_t first_output;
  __device__ compute_t<T> operator()(std::int64_t p, std::int64_t k) const {
    const std::int64_t outputs = s.o / s.groups, tap = k / outputs;
    const std::int64_t column = p % s.w, row = p / s.w % s.h, image = p / (s.w * s.h);
    const std::int64_t h = row + s.padding_h - tap / s.kw * s.dilation_h;
    const std::int64_t w = column + s.padding_w - tap % s.kw * s.dilation_w;
    if (h < 0 || w < 0 || h % s.stride_h != 0 || w % s.stride_w != 0) return 0;
    if (h / s.stride_h >= s.ho || w / s.stride_w >= s.wo) return 0;
    return value_of(
        dy[((image * s.ho + h / s.stride_h) * s.wo + w / s.stride_w) * s.o + first_output + k % outputs]);
  }
};

/// The weight as [depth, o] for the forward pass.
template <typename W>
struct WeightByOutput {
  const W* weight;
  std::int64_t depth, first_output;
  __device__ compute_t<W> operator()(std::int64_t k, std::int64_t o) const {
    return value_of(weight[(first_output + o) * depth + k]);
  }
};

/// The weight as [(r, q, o), c] for the input's gradient.
template <typename W>
struct WeightByInput {
  const W* weight;
  std::int64_t taps, channels, outputs, first_output;
  __device__ compute_t<W> operator()(std::int64_t k, std::int64_t c) const {
    return value_of(weight[((first_output + k % outputs) * taps + k / outputs) * channels + c]);
  }
};

/// dy as [o, pixels] for the weight's gradient.
template <typename T>
struct OutputByPixel {
  const T* dy;
  std::int64_t width, first_output;
  __device__ compute_t<T> operator()(std::int64_t o, std::int64_t p) const {
    return value_of(dy[p * width + first_output + o]);
  }
};

/// Stores the sums in a matrix of `width` columns from column `first` on.
template <typename T, typename Sum>
struct StoreColumns {
  T* to;
  std::int64_t width, first;
  __device__ void operator()(std::int64_t row, std::int64_t col, std::int64_t, Sum value) const {
    to[row * width + first + col] = T(static_cast<compute_t<T>>(value));
  }
};

template <typename T, typename W>
void forward(const ConvShape& s, const Tensor& x, const Tensor& weight, Tensor& y) {
  using Sum = sum_t<T>;
  for (std::int64_t g = 0; g < s.groups; ++g) {
    const InputTaps<T> a{x.data<T>(), s, g * s.group_c()};
    const WeightByOutput<W> b{weight.data<W>(), s.depth(), g * s.group_o()};
    const StoreColumns<T, Sum> c{y.mutable_data<T>(), s.o, g * s.group_o()};
    tile_product<Sum>(s.n * s.ho * s.wo, s.group_o(), s.depth(), a, b, c, x.device());
  }
}

template <typename T, typename W>
void input_grad(const ConvShape& s, const Tensor& dy, const Tensor& weight, Tensor& dx) {
  using Sum = sum_t<T>;
  for (std::int64_t g = 0; g < s.groups; ++g) {
    const OutputTaps<T> a{dy.data<T>(), s, g * s.group_o()};
    const WeightByInput<W> b{weight.data<W>(), s.kh * s.kw, s.group_c(), s.group_o(), g * s.group_o()};
    const StoreColumns<T, Sum> c{dx.mutable_data<T>(), s.c, g * s.group_c()};
    tile_product<Sum>(s.n * s.h * s.w, s.group_c(), s.kh * s.kw * s.group_o(), a, b, c, dy.device());
  }
}

template <typename T, typename W>
void weight_grad(const ConvShape& s, const Tensor& x, const Tensor& dy, Tensor& dweight) {
  using Sum = sum_t<T>;
  for (std::int64_t g = 0; g < s.groups; ++g) {
    const OutputByPixel<T> a{dy.data<T>(), s.o, g * s.group_o()};
    const InputTaps<T> b{x.data<T>(), s, g * s.group_c()};
    const StoreColumns<W, Sum> c{dweight.mutable_data<W>() + g * s.group_o() * s.depth(), s.depth(), 0};
    tile_product<Sum>(s.group_o(), s.depth(), s.n * s.ho * s.wo, a, b, c, dy.device());
  }
}

/// Calls body<T, W>() for the element types of feature maps and weights: equal, or bf16 and f32.
template <typename Body>
void dispatch_types(Dtype maps, Dtype weight, Body&& body) {
  dispatch_floating("conv2d", maps, [&]<typename T>() {
    if constexpr (std::is_same_v<T, bfloat16>) {
      if (weight == Dtype::f32) {
        body.template operator()<bfloat16, float>();
        return;
      }
    }
    body.template operator()<T, T>();
  });
}

/// y = max((y + bias + residual) * scale + shift, 0), every part if it is there. One pass, N channels a
/// thread.
template <int N, typename T, typename B>
__global__ void finish_kernel(T* y, const B* bias, const T* residual, const float* scale, const float* shift,
                              bool relu, std::int64_t packs, std::int64_t width) {
  NM_FOR_EACH(i, packs) {
    Pack<T, N> values = load_pack<N>(y + i * N), added{};
    if (residual != nullptr) added = load_pack<N>(residual + i * N);
    const std::int64_t channel = i * N % width;
#pragma unroll
    for (int k = 0; k < N; ++k) {
      auto v = value_of(values.at[k]);
      using C = decltype(v);
      if (bias != nullptr) v += static_cast<C>(value_of(bias[channel + k]));
      if (residual != nullptr) v += value_of(added.at[k]);
      if (scale != nullptr) v = v * static_cast<C>(scale[channel + k]) + static_cast<C>(shift[channel + k]);
      values.at[k] = T(relu && v < C(0) ? C(0) : v);
    }
    store_pack<N>(y + i * N, values);
  }
}

template <typename T, typename B>
void finish_typed(Tensor& y, const ConvEpilogue& e) {
  const std::int64_t width = y.dim(-1);
  T* to = y.mutable_data<T>();
  const B* bias = e.bias.defined() ? e.bias.data<B>() : nullptr;
  const T* residual = e.residual.defined() ? e.residual.data<T>() : nullptr;
  const float* scale = e.scale.defined() ? e.scale.data<float>() : nullptr;
  const float* shift = e.scale.defined() ? e.shift.data<float>() : nullptr;
  constexpr int n = kPack<T>;
  if (width % n == 0 && packable(to) && packable(residual))
    launch(finish_kernel<n, T, B>, blocks_for(y.numel() / n), kBlock, to, bias, residual, scale, shift,
           e.relu, y.numel() / n, width);
  else
    launch(finish_kernel<1, T, B>, blocks_for(y.numel()), kBlock, to, bias, residual, scale, shift, e.relu,
           y.numel(), width);
}

void finish(Tensor& y, const ConvEpilogue& e) {
  if (!e.bias.defined() && !e.residual.defined() && !e.scale.defined() && !e.relu) return;
  dispatch_types(y.dtype(), e.bias.defined() ? e.bias.dtype() : y.dtype(),
                 [&]<typename T, typename B>() { finish_typed<T, B>(y, e); });
}

double flops(const ConvShape& s) {
  return 2.0 * static_cast<double>(s.n * s.ho * s.wo * s.o) * static_cast<double>(s.depth());
}

}  // namespace

Tensor conv2d(const Tensor& x, const Tensor& weight, const ConvEpilogue& epilogue, const ConvShape& s) {
  count_flops(flops(s));
  Tensor y = Tensor::empty({s.n, s.ho, s.wo, s.o}, x.dtype(), x.device());
  if (y.numel() == 0) return y;
  ConvEpilogue rest = epilogue;
  if (!cudnn_forward(s, x, weight, rest, y))
    dispatch_types(x.dtype(), weight.dtype(),
                   [&]<typename T, typename W>() { forward<T, W>(s, x, weight, y); });
  finish(y, rest);
  return y;
}

Tensor conv2d_input_grad(const Tensor& dy, const Tensor& weight, const ConvShape& s) {
  count_flops(flops(s));
  Tensor dx = Tensor::empty({s.n, s.h, s.w, s.c}, dy.dtype(), dy.device());
  if (dx.numel() > 0 && !cudnn_input_grad(s, dy, weight, dx))
    dispatch_types(dy.dtype(), weight.dtype(),
                   [&]<typename T, typename W>() { input_grad<T, W>(s, dy, weight, dx); });
  return dx;
}

Tensor conv2d_weight_grad(const Tensor& dy, const Tensor& x, const ConvShape& s, Dtype dtype, Tensor&) {
  count_flops(flops(s));
  if (s.n == 0) return Tensor::zeros({s.o, s.kh, s.kw, s.group_c()}, dtype, dy.device());
  Tensor dweight = Tensor::empty({s.o, s.kh, s.kw, s.group_c()}, dtype, dy.device());
  if (!cudnn_weight_grad(s, x, dy, dweight))
    dispatch_types(dy.dtype(), dtype,
                   [&]<typename T, typename W>() { weight_grad<T, W>(s, x, dy, dweight); });
  return dweight;
}

Tensor conv2d_bias_grad(const Tensor& dy, const ConvShape& s, Dtype dtype) {
  return column_sums(dy, s.n * s.ho * s.wo, s.o, dtype);
}

}  // namespace noisymix::cuda

#include "engine/ops/conv2d.h"

#include <algorithm>

#include "engine/autograd.h"
#include "engine/cpu/column_sums.h"
#include "engine/cpu/conv.h"
#include "engine/cpu/conv_bf16.h"
#include "engine/cpu/conv_reference.h"
#include "engine/cpu/parallel.h"
#include "engine/cpu/vectorise.h"
#include "engine/kernel.h"

namespace noisymix {
namespace cpu {

template <typename T>
[[gnu::always_inline]] inline void finish_loop(T* NM_RESTRICT y, const T* residual, std::int64_t rows,
                                               std::int64_t width, const float* scale, const float* shift,
                                               bool relu) {
  for (std::int64_t i = 0; i < rows; ++i, y += width) {
    if (residual != nullptr)
      for (std::int64_t j = 0; j < width; ++j) y[j] += residual[i * width + j];
    if (scale != nullptr)
      for (std::int64_t j = 0; j < width; ++j)
        y[j] = y[j] * static_cast<T>(scale[j]) + static_cast<T>(shift[j]);
    if (relu)
      for (std::int64_t j = 0; j < width; ++j) y[j] = y[j] < T(0) ? T(0) : y[j];
  }
}

#define NM_FINISH(suffix, T)                                                                          \
  NM_VECTORISED(finish_##suffix,                                                                      \
                (T * y, const T* residual, std::int64_t rows, std::int64_t width, const float* scale, \
                 const float* shift, bool relu),                                                      \
                (y, residual, rows, width, scale, shift, relu)) {                                     \
    finish_loop(y, residual, rows, width, scale, shift, relu);                                        \
  }                                                                                                   \
  void finish_run(T* y, const T* residual, std::int64_t rows, std::int64_t width, const float* scale, \
                  const float* shift, bool relu) {                                                    \
    finish_##suffix(y, residual, rows, width, scale, shift, relu);                                    \
  }
NM_FINISH(f32, float)
NM_FINISH(f64, double)
#undef NM_FINISH

/// The epilogue but for the bias, in place.
template <typename T>
void finish(Tensor& y, const ConvEpilogue& e) {
  if (!e.residual.defined() && !e.scale.defined() && !e.relu) return;
  const std::int64_t width = y.dim(-1), rows = width == 0 ? 0 : y.numel() / width;
  T* to = y.mutable_data<T>();
  const T* residual = e.residual.defined() ? e.residual.data<T>() : nullptr;
  const float* scale = e.scale.defined() ? e.scale.data<float>() : nullptr;
  const float* shift = e.scale.defined() ? e.shift.data<float>() : nullptr;
  parallel_for(rows, std::max<std::int64_t>(1, 32768 / std::max<std::int64_t>(width, 1)),
               [&, to, residual](std::int64_t begin, std::int64_t end) {
                 finish_run(to + begin * width, residual == nullptr ? residual : residual + begin * width,
                            end - begin, width, scale, shift, e.relu);
               });
}

double flops(const ConvShape& s) {
  return 2.0 * static_cast<double>(s.n * s.ho * s.wo * s.o) * static_cast<double>(s.depth());
}

/// y [n, ho, wo, o]
Tensor conv2d(const Tensor& x, const Tensor& weight, const ConvEpilogue& epilogue, const ConvShape& s) {
  count_flops(flops(s));
  Tensor y = Tensor::empty(Shape{s.n, s.ho, s.wo, s.o}, x.dtype());
  const Tensor& bias = epilogue.bias;
  if (x.dtype() == Dtype::bf16) {
    conv2d_bf16(s, x, weight, epilogue, y);
  } else if (x.dtype() == Dtype::f32) {
    conv2d_f32(s, x.data<float>(), weight.data<float>(), bias.defined() ? bias.data<float>() : nullptr,
               y.mutable_data<float>());
    finish<float>(y, epilogue);
  } else {
    conv2d_reference(s, x.data<double>(), weight.data<double>(),
                     bias.defined() ? bias.data<double>() : nullptr, y.mutable_data<double>());
    finish<double>(y, epilogue);
  }
  return y;
}

/// dx [n, h, w, c]
Tensor conv2d_input_grad(const Tensor& dy, const Tensor& weight, const ConvShape& s) {
  count_flops(flops(s));
  Tensor dx = Tensor::empty(Shape{s.n, s.h, s.w, s.c}, dy.dtype());
  if (dy.dtype() == Dtype::bf16)
    conv2d_input_grad_bf16(s, dy, weight, dx);
  else if (dy.dtype() == Dtype::f32)
    conv2d_input_grad_f32(s, dy.data<float>(), weight.data<float>(), dx.mutable_data<float>());
  else
    conv2d_input_grad_reference(s, dy.data<double>(), weight.data<double>(), dx.mutable_data<double>());
  return dx;
}

/// dweight [o, kh, kw, c / groups] in the weight's dtype. In bf16 dy is added up on the way into `dbias`, f64
/// [o], unless that is undefined.
Tensor conv2d_weight_grad(const Tensor& dy, const Tensor& x, const ConvShape& s, Dtype dtype, Tensor& dbias) {
  count_flops(flops(s));
  Tensor dweight = Tensor::empty(Shape{s.o, s.kh, s.kw, s.group_c()}, dtype);
  double* bias = dbias.defined() ? dbias.mutable_data<double>() : nullptr;
  if (dy.dtype() == Dtype::bf16 && dtype == Dtype::bf16)
    conv2d_weight_grad_bf16(s, x.data<bfloat16>(), dy.data<bfloat16>(), dweight.mutable_data<bfloat16>(),
                            bias);
  else if (dy.dtype() == Dtype::bf16)
    conv2d_weight_grad_bf16(s, x.data<bfloat16>(), dy.data<bfloat16>(), dweight.mutable_data<float>(), bias);
  else if (dy.dtype() == Dtype::f32)
    conv2d_weight_grad_f32(s, x.data<float>(), dy.data<float>(), dweight.mutable_data<float>());
  else
    conv2d_weight_grad_reference(s, x.data<double>(), dy.data<double>(), dweight.mutable_data<double>());
  return dweight;
}

/// dbias [o] in the bias's dtype
Tensor conv2d_bias_grad(const Tensor& dy, const ConvShape& s, Dtype dtype) {
  Tensor dbias = Tensor::empty(Shape{s.o}, dtype);
  const std::int64_t rows = s.n * s.ho * s.wo;
  dispatch_floating("conv2d", dy.dtype(), [&]<typename T>() {
    if (dtype == dy.dtype())
      column_sums(dy.data<T>(), rows, s.o, dbias.mutable_data<T>());
    else
      column_sums(dy.data<T>(), rows, s.o, dbias.mutable_data<float>());
  });
  return dbias;
}

}  // namespace cpu

namespace {

constexpr Kernel forward_kernel{"conv2d", cpu::conv2d, NM_CUDA(cuda::conv2d)};
constexpr Kernel input_grad_kernel{"conv2d", cpu::conv2d_input_grad, NM_CUDA(cuda::conv2d_input_grad),
                                   "input gradient"};
constexpr Kernel weight_grad_kernel{"conv2d", cpu::conv2d_weight_grad, NM_CUDA(cuda::conv2d_weight_grad),
                                    "weight gradient"};
constexpr Kernel bias_grad_kernel{"conv2d", cpu::conv2d_bias_grad, NM_CUDA(cuda::conv2d_bias_grad),
                                  "bias gradient"};

/// Output size along one axis; throws when the (dilated) filter does not fit.
std::int64_t output_size(const char* axis, std::int64_t size, std::int64_t taps, std::int64_t stride,
                         std::int64_t padding, std::int64_t dilation) {
  NM_CHECK(stride >= 1 && dilation >= 1 && padding >= 0,
           "[conv2d] expects stride >= 1, dilation >= 1, padding >= 0 along ", axis, ", got ", stride, ", ",
           dilation, ", ", padding);
  const std::int64_t extent = dilation * (taps - 1) + 1;
  NM_CHECK(size + 2 * padding >= extent, "[conv2d] the filter covers ", extent, " positions along ", axis,
           ", x with its padding has only ", size + 2 * padding);
  return (size + 2 * padding - extent) / stride + 1;
}

ConvShape check_shapes(const Tensor& x, const Tensor& weight, const Tensor& bias,
                            const Conv2dOptions& o) {
  NM_CHECK(x.rank() == 4, "[conv2d] expects x [n, h, w, c], got shape ", x.shape());
  NM_CHECK(weight.rank() == 4, "[conv2d] expects weight [o, kh, kw, c / groups], got shape ", weight.shape());
  check_parameter("conv2d", "weight", x, weight);
  NM_CHECK(is_floating(x.dtype()), "[conv2d] expects a floating dtype (f32, bf16, f64), got ", x.dtype());
  NM_CHECK(o.groups >= 1 && x.dim(3) % o.groups == 0 && weight.dim(0) % o.groups == 0, "[conv2d] groups ",
           o.groups, " must divide the channels of x, shape ", x.shape(), ", and of weight, shape ",
           weight.shape());
  NM_CHECK(weight.dim(3) * o.groups == x.dim(3), "[conv2d] weight expects ", weight.dim(3) * o.groups,
           " input channels, x has shape ", x.shape());
  NM_CHECK(weight.dim(1) >= 1 && weight.dim(2) >= 1 && weight.dim(3) >= 1 && weight.dim(0) >= 1,
           "[conv2d] expects a weight without empty axes, got shape ", weight.shape());
  if (bias.defined()) {
    check_parameter("conv2d", "bias", x, bias);
    NM_CHECK(bias.shape() == Shape{weight.dim(0)}, "[conv2d] expects bias [", weight.dim(0), "], got shape ",
             bias.shape());
  }
  const std::int64_t ho =
      output_size("height", x.dim(1), weight.dim(1), o.stride_h, o.padding_h, o.dilation_h);
  const std::int64_t wo =
      output_size("width", x.dim(2), weight.dim(2), o.stride_w, o.padding_w, o.dilation_w);
  return {x.dim(0),      x.dim(1),     x.dim(2),     x.dim(3),   weight.dim(0), weight.dim(1),
          weight.dim(2), ho,           wo,           o.stride_h, o.stride_w,    o.padding_h,
          o.padding_w,   o.dilation_h, o.dilation_w, o.groups};
}

void check_residual(const Tensor& x, const Tensor& residual, const ConvShape& s) {
  if (!residual.defined()) return;
  check_same_kind("conv2d", x, residual);
  NM_CHECK(residual.shape() == (Shape{s.n, s.ho, s.wo, s.o}), "[conv2d] residual has shape ",
           residual.shape(), ", the result ", Shape{s.n, s.ho, s.wo, s.o});
}

Tensor plain(const Tensor& t) {
  return t.defined() ? t.detach() : t;
}

}  // namespace

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options,
              const Tensor& residual) {
  const ConvShape s = check_shapes(x, weight, bias, options);
  check_residual(x, residual, s);
  const ConvEpilogue epilogue{
      .bias = plain(bias), .residual = plain(residual), .scale = {}, .shift = {}};
  const Tensor y = forward_kernel(x.detach(), weight.detach(), epilogue, s);
  const bool want_x = wants_grad(x), want_weight = wants_grad(weight),
             want_bias = bias.defined() && wants_grad(bias);
  const Saved kept_x = want_weight ? Saved(x) : Saved();
  const Tensor kept_weight = want_x ? weight.detach() : Tensor();
  const Dtype weight_dtype = weight.dtype(), bias_dtype = bias.defined() ? bias.dtype() : weight_dtype;
  std::vector<Tensor> inputs{x, weight};
  if (bias.defined()) inputs.push_back(bias);
  if (residual.defined()) inputs.push_back(residual);
  return record("conv2d", inputs, y, [=, count = inputs.size(), adds = residual.defined()](const Tensor& dy) {
    Grads grads(count);
    if (want_x) grads[0] = input_grad_kernel(dy, kept_weight, s);
    Tensor sums;  // of dy, where the weight's gradient reads it anyway
    if (want_weight && want_bias && dy.dtype() == Dtype::bf16 && dy.device().is_cpu())
      sums = Tensor::empty(Shape{s.o}, Dtype::f64);
    if (want_weight) grads[1] = weight_grad_kernel(dy, kept_x.get(), s, weight_dtype, sums);
    if (want_bias) grads[2] = sums.defined() ? sums.to(bias_dtype) : bias_grad_kernel(dy, s, bias_dtype);
    if (adds) grads[count - 1] = dy;
    return grads;
  });
}

Tensor conv2d_affine(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options,
                     const Tensor& residual, const ChannelAffine& affine) {
  const ConvShape s = check_shapes(x, weight, bias, options);
  check_residual(x, residual, s);
  NM_CHECK(!wants_grad(x) && !wants_grad(weight), "[conv2d_affine] has no gradient; use it under NoGrad");
  for (const Tensor& values : {affine.scale, affine.shift})
    NM_CHECK(values.defined() && values.dtype() == Dtype::f32 && values.shape() == Shape{s.o},
             "[conv2d_affine] expects scale and shift in f32 [", s.o, "], got ",
             values.defined() ? values.str() : "nothing");
  return forward_kernel(x, weight, ConvEpilogue{bias, residual, affine.scale, affine.shift, affine.relu},
                        s);
}

}  // namespace noisymix

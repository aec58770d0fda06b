// Initial values of parameters.
#pragma once

#include "engine/key.h"
#include "engine/tensor.h"

namespace noisymix {

/// Overwrites x with draws from U(-1/sqrt(fan_in), 1/sqrt(fan_in)): PyTorch's default for the weights and
/// biases of convolutions and linear maps (there written as Kaiming-uniform with a = sqrt 5).
void fill_fan_in_uniform(Tensor& x, std::int64_t fan_in, Key key);

/// Distribution of a weight's initial values. fan_in is the number of products behind one output, fan_out
/// that of output channels times the kernel's area (as He et al. and PyTorch count, groups or not).
enum class WeightInit {
  fan_in_uniform,    ///< U(-1, 1) / sqrt(fan_in), PyTorch's default
  he_fan_in,         ///< N(0, 2 / fan_in)
  he_fan_out,        ///< N(0, 2 / fan_out)
  truncated_normal,  ///< N(0, 0.02^2) inside [-2, 2], as vision transformers have it
};

/// How a convolution or linear map starts.
struct InitialValues {
  WeightInit weight = WeightInit::fan_in_uniform;
  bool zero_bias = false;  ///< else U(-1, 1) / sqrt(fan_in)
};

/// Overwrites a weight [out, in] or [out, kernel, kernel, in / groups].
void fill_weight(Tensor& weight, WeightInit kind, Key key);
/// Overwrites the bias that belongs to a weight with that fan_in.
void fill_bias(Tensor& bias, std::int64_t fan_in, const InitialValues& values, Key key);

/// Overwrites x with draws from N(0, stddev^2); what falls outside [low, high] is drawn again.
void fill_truncated_normal(Tensor& x, double stddev, double low, double high, Key key);

/// Overwrites every element with one value.
void fill_constant(Tensor& x, double value);

}  // namespace noisymix

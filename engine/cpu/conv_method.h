// Which algorithm computes f32 convolutions: direct sums, or Winograd's for 3x3 filters.
#pragma once

#include "engine/cpu/conv_geometry.h"

namespace noisymix::cpu {

/// direct: always sums of products. winograd: Winograd's algorithm wherever it applies, fast or not.
/// automatic: whichever is faster, by winograd_pays().
enum class ConvMethod { automatic, direct, winograd };

/// The method in use: automatic, unless the environment variable NOISYMIX_CONV (auto, direct, winograd), read
/// once, asks for another. Throws ConfigError on an unknown name.
ConvMethod conv_method();

/// Changes the method in use, for tests and benchmarks.
void set_conv_method(ConvMethod method);

/// Winograd's algorithm computes this convolution: 3x3 filter, stride 1, dilation 1, one group; any padding.
bool winograd_applies(const ConvShape& shape);

/// It is also faster, by measurement, for the forward pass and both gradients together. Depends on the number
/// of images when these have few pixels.
bool winograd_pays(const ConvShape& shape);

/// What conv2d_f32 and its gradients do under the method in use.
bool use_winograd(const ConvShape& shape);

}  // namespace noisymix::cpu

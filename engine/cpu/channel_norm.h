// Passes over x [rows, channels] that normalise each channel. All are bound by memory, so each reads its
// inputs once.
#pragma once

#include "engine/ops/batch_norm_layout.h"
#include "engine/tensor.h"

namespace noisymix::cpu {

/// Mean and biased variance per channel, f64 [2, c]. Accurate also where the mean is large against the
/// deviation.
Tensor channel_moments(const Tensor& x);

Tensor normalise_channels(const Tensor& x, const ChannelNorm& norm);

/// f64 [2, c]: sum of g and sum of g * (x - mean), where g is dy, or 0 where relu cut y off.
Tensor channel_grad_sums(const Tensor& x, const Tensor& dy, const ChannelNorm& norm);

/// dx. With `sums` from channel_grad_sums the moments are functions of x; undefined, they are constants.
Tensor channel_input_grad(const Tensor& x, const Tensor& dy, const ChannelNorm& norm, const Tensor& sums);

}  // namespace noisymix::cpu

// The draws of one AugMix mixture, one definition for the CPU and the GPU. augmix.h says which sub-stream
// each comes from.
#pragma once

#include <cmath>
#include <cstdint>

#include "augment/augmix.h"
#include "engine/host_device.h"
#include "engine/key.h"

namespace noisymix {

/// A whole number in 0..count-1 from one word; its bias of count / 2^32 is far below what any run could
/// notice.
NM_HOST_DEVICE inline int below_from_word(std::uint32_t word, int count) {
  return static_cast<int>((static_cast<std::uint64_t>(word) * static_cast<std::uint64_t>(count)) >> 32);
}

NM_HOST_DEVICE inline int draw_severity(const AugMixOptions& options, Key key) {
  return options.random_severity ? 1 + static_cast<int>(key.child("severity").below(0, 10))
                                 : options.severity;
}

/// Fills `weights` with a draw from Dirichlet(alpha, ...). Gamma(1) variables are exponential: the usual
/// alpha = 1 needs one logarithm per weight.
NM_HOST_DEVICE inline void draw_weights(const AugMixOptions& options, Key key, double* weights) {
  Draws draws(key.child("weights"));
  double sum = 0;
  for (int i = 0; i < options.width; ++i) {
    weights[i] = options.alpha == 1 ? -std::log(1 - draws.uniform()) : draws.unchecked_gamma(options.alpha);
    sum += weights[i];
  }
  // All gammas may underflow when alpha is tiny; the law then puts everything on one chain.
  if (!(sum > 0)) {
    weights[draws.below(options.width)] = 1;
    sum = 1;
  }
  for (int i = 0; i < options.width; ++i) weights[i] /= sum;
}

NM_HOST_DEVICE inline double draw_skip(const AugMixOptions& options, Key key) {
  Draws draws(key.child("skip"));
  return options.alpha == 1 ? draws.uniform() : draws.unchecked_beta(options.alpha, options.alpha);
}

NM_HOST_DEVICE inline Key chain_key(Key key, int chain) {
  return key.child("chain").child(std::int64_t{chain});
}

/// How many operations the chain of this key has.
NM_HOST_DEVICE inline int draw_depth(const AugMixOptions& options, Key chain) {
  return options.depth > 0 ? options.depth : 1 + below_from_word(chain.block(0)[0], 3);
}

/// Its operation k = 0, 1, ...
NM_HOST_DEVICE inline ChainStep draw_step(const AugMixOptions& options, int severity, Key chain, int k) {
  const auto words = chain.block(static_cast<std::uint64_t>(k) + 1);
  ChainStep step;
  step.operation = static_cast<Operation>(
      below_from_word(words[0], options.all_operations ? kAllOperations : kOperations));
  step.level = 0.1 + (severity - 0.1) * (words[1] * 0x1p-32);
  step.negated = words[2] >= 0x80000000u;
  return step;
}

// The parameter that belongs to level 10 is `most`; parameters grow in proportion to the level.
NM_HOST_DEVICE inline double real_parameter(double level, double most) {
  return level * most / 10;
}
NM_HOST_DEVICE inline double whole_parameter(double level, double most) {
  return std::trunc(level * most / 10);
}

/// See step_parameter() of augmix.h.
NM_HOST_DEVICE inline double parameter_of(const ChainStep& step, int side) {
  const double sign = step.negated ? -1 : 1;
  switch (step.operation) {
    case Operation::autocontrast:
    case Operation::equalize:
      return 0;
    case Operation::posterize:
      return 4 - whole_parameter(step.level, 4);
    case Operation::rotate:
      return sign * whole_parameter(step.level, 30);
    case Operation::solarize:
      return 256 - whole_parameter(step.level, 256);
    case Operation::shear_x:
    case Operation::shear_y:
      return sign * real_parameter(step.level, 0.3);
    case Operation::translate_x:
    case Operation::translate_y:
      return sign * whole_parameter(step.level, side / 3.0);
    case Operation::color:
    case Operation::contrast:
    case Operation::brightness:
    case Operation::sharpness:
      return real_parameter(step.level, 1.8) + 0.1;
  }
  return 0;
}

}  // namespace noisymix

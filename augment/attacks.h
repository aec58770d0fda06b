// Adversarial examples from the model's own gradient: FGSM, and PGD in the max-norm or the Euclidean one.
#pragma once

#include <cstdint>
#include <functional>

#include "augment/image.h"
#include "engine/key.h"
#include "engine/tensor.h"

namespace noisymix {

/// What an attack increases: a scalar, usually the cross-entropy of x [n, h, w, c] summed or averaged over
/// the batch (a factor does not matter). The model belongs in evaluation mode. Gradients are asked of x
/// alone: those of parameters are neither computed nor touched, and an active NoGrad does not matter.
using AttackLoss = std::function<Tensor(const Tensor& x)>;

enum class AttackNorm { linf, l2 };
/// What epsilon is measured in: pixels in [0, 1], or what the model sees after normalisation.
enum class AttackSpace { unit, normalised };
/// Where the steps begin: at x, at a point drawn uniformly from the ball, or at x + 0.001 N(0, 1) (TRADES,
/// register D27).
enum class AttackStart { zero, random, normal };

struct FgsmOptions {
  double epsilon = 8.0 / 255;
  AttackSpace space = AttackSpace::unit;
  bool clip = true;  ///< keep the result in the data range, [0, 1] before normalisation
};

struct PgdOptions {
  double epsilon = 8.0 / 255;
  AttackNorm norm = AttackNorm::linf;
  AttackSpace space = AttackSpace::unit;
  int iterations = 7;
  double step = 0;                        ///< in epsilon's units; 0 means 2.5 epsilon / iterations
  AttackStart start = AttackStart::zero;  ///< zero as published code (register D26)
  bool clip = false;                      ///< as above; the published code does not (D26)
};

/// One step of epsilon along the gradient's sign. `x` is a normalised batch [n, h, w, c] with 1 or 3 channels
/// on any device, f32 or f64; so is the result. Throws ShapeError for another shape, ConfigError for a
/// negative epsilon.
Tensor fgsm(const AttackLoss& loss_of, const Tensor& x, const Normalization& normalization,
            const FgsmOptions& options = {});

/// Repeated steps along the gradient's sign (linf) or direction (l2, per image), each followed by the
/// projection onto the ball around x and, with `clip`, onto the data range. Row i of the batch is example
/// first + i and starts at a point drawn from key.child(first + i), so batches of any size give the same
/// examples. Errors as fgsm(), and ConfigError for less than one iteration or a negative step.
Tensor pgd(const AttackLoss& loss_of, const Tensor& x, const Normalization& normalization,
           const PgdOptions& options, Key key, std::int64_t first);

}  // namespace noisymix

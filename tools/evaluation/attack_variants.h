// Adversarial variants of a test set: every example attacked through the model under evaluation.
#pragma once

#include <vector>

#include "tools/evaluation/variants.h"

namespace noisymix {

/// FGSM, PGD in the max-norm and in the Euclidean norm, at the options' radii in unit range (section 10 of
/// docs/robustness.md), over the first `examples` of the test set. FGSM keeps pixels in their range; PGD
/// starts at the image and, as published, does not.
std::vector<Variant> make_attack_variants(const EvaluateOptions& options, std::int64_t examples);

}  // namespace noisymix

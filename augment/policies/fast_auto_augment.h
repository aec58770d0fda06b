// Fast AutoAugment: policies from a search, with levels in [0, 1]. The search itself is not here; policies
// come from files, which a higher folder reads.
#pragma once

#include "augment/policies/policy.h"

namespace noisymix {

/// An operation of a level in [0, 1], which grows evenly to: shear -0.3..0.3, translation -0.45..0.45 of the
/// side, rotation -30..30 degrees (each then of either sign again), solarize thresholds 0..256, bits 4..8
/// truncated, blend factors 0.1..1.9, cutout 0..0.2 of the width. Throws ConfigError for a level outside [0,
/// 1].
PolicyStep fast_auto_augment_step(PolicyOperation operation, double probability, double level);

}  // namespace noisymix

// AutoAugment: the policies that were found for CIFAR-10 and for ImageNet.
#pragma once

#include "augment/policies/policy.h"

namespace noisymix {

/// An operation of magnitude bin 0..9. Ten even steps from 0: shear to 0.3, translation to 150/331 of the
/// side, rotation to 30 degrees, each of either sign; blends 1 -+ 0..0.9; solarize thresholds 255 down to 0;
/// posterize keeps 8 - round(bin / 2.25) bits. AutoAugment knows no cutout: throws ConfigError.
PolicyStep auto_augment_step(PolicyOperation operation, double probability, int bin);

/// The 25 sub-policies of two operations for CIFAR-10, and for ImageNet.
Policy cifar_auto_augment();
Policy imagenet_auto_augment();

}  // namespace noisymix

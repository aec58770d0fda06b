// What is done to the crop/flip image before views are made of it: colour jitter, a small rotation, a policy.
#pragma once

#include "augment/image.h"
#include "augment/policies/policy.h"
#include "engine/key.h"

namespace noisymix {

/// Steps in this order; drawn once per image and shared by all its views. Everything is off by default.
struct ImageSteps {
  double jitter = 0;  ///< j: factors U(1 - j, 1 + j) for brightness, contrast and saturation, in random order
  double rotation = 0;  ///< r: an angle U(-r, r) in degrees, nearest pixel, black outside
  Policy policy{};      ///< empty for none
  bool any() const { return jitter > 0 || rotation > 0 || !policy.empty(); }
};

/// Throws ConfigError unless jitter is in [0, 1], rotation in [0, 180] and the policy sound.
void check_image_steps(const ImageSteps& steps);

/// Brightness, contrast and saturation in the drawn order, each with its factor.
struct JitterDraw {
  int order[3];       ///< 0 brightness, 1 contrast, 2 saturation
  double factors[3];  ///< of brightness, contrast and saturation
};
/// Block 0 is the order, blocks 1 to 3 are the factors.
JitterDraw draw_jitter(double jitter, Key key);

/// The image after all steps, in memory of this thread that lasts until its next call; `image` itself when
/// there is nothing to do. Draws come from the children "jitter", "rotation" and "policy" of the key.
const Image& apply_image_steps(const ImageSteps& steps, const Image& image, Key key);

}  // namespace noisymix

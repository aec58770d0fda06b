#include "augment/policies/fast_auto_augment.h"

#include <cmath>

#include "engine/error.h"

namespace noisymix {

PolicyStep fast_auto_augment_step(PolicyOperation operation, double probability, double level) {
  NM_CHECK_AS(ConfigError, level >= 0 && level <= 1, "[fast_auto_augment] level ", level,
              ", expected 0 to 1");
  PolicyStep step{operation, probability, 0, 0};
  switch (operation) {
    case PolicyOperation::shear_x:
    case PolicyOperation::shear_y:
      step.swing = -0.3 + 0.6 * level;
      break;
    case PolicyOperation::translate_x:
    case PolicyOperation::translate_y:
      step.swing = -0.45 + 0.9 * level;
      break;
    case PolicyOperation::rotate:
      step.swing = -30 + 60 * level;
      break;
    case PolicyOperation::solarize:
      step.centre = 256 * level;
      break;
    case PolicyOperation::posterize:
      step.centre = std::trunc(4 + 4 * level);
      break;
    case PolicyOperation::contrast:
    case PolicyOperation::color:
    case PolicyOperation::brightness:
    case PolicyOperation::sharpness:
      step.centre = 0.1 + 1.8 * level;
      break;
    case PolicyOperation::cutout:
      step.centre = 0.2 * level;
      break;
    case PolicyOperation::autocontrast:
    case PolicyOperation::invert:
    case PolicyOperation::equalize:
      break;
  }
  return step;
}

}  // namespace noisymix

#include "augment/corruptions/gaussian_noise.h"

#include "augment/corruptions/unit_range.h"

namespace noisymix {

std::unique_ptr<Corruption> make_gaussian_noise(ParameterSet set, int severity) {
  return make_normal_noise(NoiseForm::added, constants_of(kGaussianNoise, set, severity, "gaussian_noise"));
}

}  // namespace noisymix

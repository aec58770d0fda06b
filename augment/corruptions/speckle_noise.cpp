#include "augment/corruptions/speckle_noise.h"

#include "augment/corruptions/unit_range.h"

namespace noisymix {

std::unique_ptr<Corruption> make_speckle_noise(ParameterSet set, int severity) {
  return make_normal_noise(NoiseForm::proportional,
                           constants_of(kSpeckleNoise, set, severity, "speckle_noise"));
}

}  // namespace noisymix

#include "tools/scheme_input_mix.h"

namespace noisymix {

std::unique_ptr<InputMix> make_input_mix(const InputMixConfig&, const FeatureMixOptions&,
                                         const Normalization&) {
  return nullptr;
}

}  // namespace noisymix

#include "augment/sequences/families.h"
namespace noisymix {
std::unique_ptr<Sequence> make_noise_sequence(SequenceType, ParameterSet, int) {
  return nullptr;
}
std::unique_ptr<Sequence> make_blur_sequence(SequenceType, ParameterSet) {
  return nullptr;
}
std::unique_ptr<Sequence> make_snow_sequence(ParameterSet) {
  return nullptr;
}
std::unique_ptr<Sequence> make_brightness_sequence(ParameterSet) {
  return nullptr;
}
std::unique_ptr<Sequence> make_spatter_sequence(ParameterSet) {
  return nullptr;
}
}  // namespace noisymix

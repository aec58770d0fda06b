#include "augment/corruptions/corruption.h"

#include <array>
#include <string>

#include "augment/corruptions/brightness.h"
#include "augment/corruptions/contrast.h"
#include "augment/corruptions/defocus_blur.h"
#include "augment/corruptions/elastic_transform.h"
#include "augment/corruptions/fog.h"
#include "augment/corruptions/frost.h"
#include "augment/corruptions/gaussian_blur.h"
#include "augment/corruptions/gaussian_noise.h"
#include "augment/corruptions/glass_blur.h"
#include "augment/corruptions/impulse_noise.h"
#include "augment/corruptions/jpeg_compression.h"
#include "augment/corruptions/motion_blur.h"
#include "augment/corruptions/pixelate.h"
#include "augment/corruptions/saturate.h"
#include "augment/corruptions/shot_noise.h"
#include "augment/corruptions/snow.h"
#include "augment/corruptions/spatter.h"
#include "augment/corruptions/speckle_noise.h"
#include "augment/corruptions/zoom_blur.h"
#include "engine/error.h"
#include "engine/nearest_name.h"

namespace noisymix {
namespace {

constexpr std::array<const char*, kAllCorruptions> kNames = {"gaussian_noise",
                                                             "shot_noise",
                                                             "impulse_noise",
                                                             "defocus_blur",
                                                             "glass_blur",
                                                             "motion_blur",
                                                             "zoom_blur",
                                                             "snow",
                                                             "frost",
                                                             "fog",
                                                             "brightness",
                                                             "contrast",
                                                             "elastic_transform",
                                                             "pixelate",
                                                             "jpeg_compression",
                                                             "speckle_noise",
                                                             "gaussian_blur",
                                                             "spatter",
                                                             "saturate"};
constexpr std::array<const char*, 3> kSetNames = {"cifar-c", "tiny-imagenet-c", "imagenet-c"};

/// Position of `name`; throws with the nearest known name.
template <std::size_t kCount>
std::size_t position_of(std::string_view name, const std::array<const char*, kCount>& names,
                        const char* what) {
  for (std::size_t i = 0; i < kCount; ++i)
    if (name == names[i]) return i;
  const std::string near = nearest_name(std::string(name), {names.begin(), names.end()});
  std::string known;
  for (const char* each : names) known += (known.empty() ? "" : ", ") + std::string(each);
  fail<ConfigError>("unknown ", what, " '", name, "'", near.empty() ? "" : ", did you mean " + near + "?",
                    " (known: ", known, ")");
}

}  // namespace

const char* name_of(CorruptionType type) {
  return kNames[static_cast<std::size_t>(type)];
}
CorruptionType corruption_named(std::string_view name) {
  return static_cast<CorruptionType>(position_of(name, kNames, "corruption"));
}
const char* name_of(ParameterSet set) {
  return kSetNames[static_cast<std::size_t>(set)];
}
ParameterSet parameter_set_named(std::string_view name) {
  return static_cast<ParameterSet>(position_of(name, kSetNames, "set of corruption constants"));
}

std::unique_ptr<Corruption> make_corruption(CorruptionType type, int severity, ParameterSet set,
                                            const CorruptionOptions& options) {
  NM_CHECK_AS(ConfigError, severity >= 1 && severity <= kSeverities, "[", name_of(type),
              "] severity must be 1 to 5, got ", severity);
  switch (type) {
    case CorruptionType::gaussian_noise:
      return make_gaussian_noise(set, severity);
    case CorruptionType::shot_noise:
      return make_shot_noise(set, severity);
    case CorruptionType::impulse_noise:
      return make_impulse_noise(set, severity);
    case CorruptionType::defocus_blur:
      return make_defocus_blur(set, severity);
    case CorruptionType::glass_blur:
      return make_glass_blur(set, severity, options.glass_swap);
    case CorruptionType::motion_blur:
      return make_motion_blur(set, severity);
    case CorruptionType::zoom_blur:
      return make_zoom_blur(set, severity);
    case CorruptionType::snow:
      return make_snow(set, severity);
    case CorruptionType::frost:
      return make_frost(set, severity, options);
    case CorruptionType::fog:
      return make_fog(set, severity);
    case CorruptionType::brightness:
      return make_brightness(set, severity);
    case CorruptionType::contrast:
      return make_contrast(set, severity);
    case CorruptionType::elastic_transform:
      return make_elastic_transform(set, severity);
    case CorruptionType::pixelate:
      return make_pixelate(set, severity);
    case CorruptionType::jpeg_compression:
      return make_jpeg_compression(set, severity);
    case CorruptionType::speckle_noise:
      return make_speckle_noise(set, severity);
    case CorruptionType::gaussian_blur:
      return make_gaussian_blur(set, severity);
    case CorruptionType::spatter:
      return make_spatter(set, severity);
    case CorruptionType::saturate:
      return make_saturate(set, severity);
  }
  fail<ConfigError>("[corruption] no such type");
}

}  // namespace noisymix

// First choice of a scheme, from its settings: the views of an image.
#include "augment/resized_crop.h"
#include "engine/error.h"
#include "tools/policy_file.h"
#include "tools/scheme.h"

namespace noisymix {

std::unique_ptr<Views> make_views(const ViewsConfig& config, const Normalization& normalization,
                                  int crop_side) {
  if (config.crop == "random_resized") {  // around whatever views the other settings make of the crop
    const ResizedCropOptions crop{crop_side, config.area_low, config.crop_flip.flip};
    ViewsConfig inner = config;
    inner.crop = "padded";
    inner.crop_flip.padding = 0;
    inner.crop_flip.flip = false;
    return make_resized_crop_views(crop, make_views(inner, normalization));
  }
  NM_CHECK_AS(ConfigError, config.crop == "padded", "views.crop is \"padded\" or \"random_resized\", not \"",
              config.crop, '"');
  const ImageSteps steps{config.jitter, config.rotation, find_policy(config.policy)};
  const bool plain = config.kind == "plain", mixed = config.kind == "augmix" || config.kind == "augmix_only";
  if (plain || mixed) {
    const int copies = plain ? config.count : (config.kind == "augmix" ? 1 : 0);
    return make_planned_views(
        {config.crop_flip, config.augmix, copies, plain ? 0 : config.count, normalization}, steps);
  }
  if (config.kind == "augmax")
    return make_augmax_views(config.crop_flip, config.augmix, normalization, steps);
  fail<ConfigError>("views.kind is \"plain\", \"augmix\", \"augmix_only\" or \"augmax\", not \"", config.kind,
                    '"');
}

Normalization make_normalization(const std::string& name) {
  if (name == "half") return {{0.5f, 0.5f, 0.5f}, {0.5f, 0.5f, 0.5f}};
  if (name == "none") return {{0, 0, 0}, {1, 1, 1}};
  if (name == "cifar10") {
    return {{125.3f / 255, 123.0f / 255, 113.9f / 255}, {63.0f / 255, 62.1f / 255, 66.7f / 255}};
  }
  if (name == "cifar10-per-image") {
    return {{0.4914f, 0.4822f, 0.4465f}, {0.2023f, 0.1994f, 0.2010f}};
  }
  if (name == "cifar100") {
    return {{129.3f / 255, 124.1f / 255, 112.4f / 255}, {68.2f / 255, 65.4f / 255, 70.4f / 255}};
  }
  if (name == "imagenet") return {{0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};
  fail<ConfigError>(
      "data.normalization is half, cifar10, cifar10-per-image, cifar100, imagenet or none, not \"", name,
      '"');
}

}  // namespace noisymix

// First choice of a scheme, from its settings: the views of an image.
#include "augment/resized_crop.h"
#include "engine/error.h"
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
  if (config.kind == "plain") return make_crop_flip_views(config.crop_flip, normalization, config.count);
  if (config.kind == "augmix" || config.kind == "augmix_only") {
    const bool clean = config.kind == "augmix";
    return make_augmix_views(config.crop_flip, config.augmix, clean, config.count, normalization);
  }
  fail<ConfigError>("views.kind is \"plain\", \"augmix\" or \"augmix_only\", not \"", config.kind, '"');
}

Normalization make_normalization(const std::string& name) {
  if (name == "half") return {{0.5f, 0.5f, 0.5f}, {0.5f, 0.5f, 0.5f}};
  if (name == "none") return {{0, 0, 0}, {1, 1, 1}};
  if (name == "cifar10") {
    return {{125.3f / 255, 123.0f / 255, 113.9f / 255}, {63.0f / 255, 62.1f / 255, 66.7f / 255}};
  }
  if (name == "cifar100") {
    return {{129.3f / 255, 124.1f / 255, 112.4f / 255}, {68.2f / 255, 65.4f / 255, 70.4f / 255}};
  }
  if (name == "imagenet") return {{0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};
  fail<ConfigError>("data.normalization is half, cifar10, cifar100, imagenet or none, not \"", name, '"');
}

}  // namespace noisymix

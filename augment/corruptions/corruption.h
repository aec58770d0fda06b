// The nineteen common corruptions of CIFAR-C, Tiny-ImageNet-C and ImageNet-C at five severities.
//
// Each type has a file of its own: its constants, its draw from a key, and a pure function of image and
// draws.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "augment/image.h"
#include "augment/scratch.h"
#include "engine/key.h"

namespace noisymix {

/// In the order of the benchmark: noise, blur, weather, digital; then the four extra ones.
enum class CorruptionType {
  gaussian_noise,
  shot_noise,
  impulse_noise,
  defocus_blur,
  glass_blur,
  motion_blur,
  zoom_blur,
  snow,
  frost,
  fog,
  brightness,
  contrast,
  elastic_transform,
  pixelate,
  jpeg_compression,
  speckle_noise,
  gaussian_blur,
  spatter,
  saturate,
};
inline constexpr int kBenchmarkCorruptions = 15, kAllCorruptions = 19, kSeverities = 5;

/// The benchmark's name, which is also the name of its file ("gaussian_noise").
const char* name_of(CorruptionType type);
/// Throws ConfigError for an unknown name, with the nearest known one.
CorruptionType corruption_named(std::string_view name);

/// Which benchmark's constants.
enum class ParameterSet { cifar, tiny_imagenet, imagenet };
const char* name_of(ParameterSet set);  ///< "cifar-c", "tiny-imagenet-c", "imagenet-c"
ParameterSet parameter_set_named(std::string_view name);

/// A table of constants: one row per severity.
template <class Row>
using BySeverity = Row[kSeverities];

/// What is left to choose besides type, severity and constants.
struct CorruptionOptions {
  /// Glass blur exchanges pixels, as its description says, instead of copying them, as the published code
  /// does.
  bool glass_swap = false;
  /// Pictures of frost, RGB, at most five of which are used; none means procedural ice.
  std::shared_ptr<const std::vector<Image>> frost_pictures{};
};

/// One type at one severity. Thread-safe: everything that changes lies in `scratch` and `out`.
class Corruption {
 public:
  virtual ~Corruption() = default;
  /// `out` takes the shape of `image` (grey or RGB, sides of 8 or more), keeps its memory, and must be
  /// another object. A pure function of image and key.
  virtual void apply(const Image& image, Key key, Scratch& scratch, Image& out) const = 0;
};

/// The key of one image's draws: a corrupted data set is a function of its seed.
inline Key corruption_key(std::uint64_t seed, CorruptionType type, int severity, std::int64_t index) {
  return Key(seed).child("corruption").child(std::string_view(name_of(type))).child(severity).child(index);
}

/// Throws ConfigError unless 1 <= severity <= 5.
std::unique_ptr<Corruption> make_corruption(CorruptionType type, int severity, ParameterSet set,
                                            const CorruptionOptions& options = {});

}  // namespace noisymix

// The random networks of Noise2Net: their structure, and the weights that each image gets.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/key.h"

namespace noisymix {

constexpr int kNoise2NetStages = 4, kNoise2NetSlices = 3;  ///< slices that are convolved

/// One of a stage's convolutions from `hidden` to `hidden` channels.
struct Noise2NetConv {
  std::int64_t kernel = 1, dilation = 1;

  std::int64_t padding() const { return (kernel - 1) / 2 * dilation; }
  std::int64_t taps() const { return kernel * kernel; }
};

struct Noise2NetStructure {
  std::int64_t channels = 3, hidden = 2;
  std::array<std::array<Noise2NetConv, kNoise2NetSlices>, kNoise2NetStages> convs;

  std::int64_t width() const { return 4 * hidden; }
};

/// Kernels and dilations, for each stage and slice from a key of its own.
Noise2NetStructure draw_noise2net_structure(std::int64_t channels, std::int64_t hidden, Key key);

/// The weights of one stage for one image, OHWI. There are no biases: each would stand in front of a batch
/// norm that takes it away again.
struct Noise2NetWeights {
  std::vector<float> expand;                               ///< [width][channels]
  std::array<std::vector<float>, kNoise2NetSlices> convs;  ///< [hidden][kernel][kernel][hidden]
  std::vector<float> reduce;                               ///< [channels][width]
};

/// Uniform on [-1 / sqrt(fan in), 1 / sqrt(fan in)), for each image, stage and layer from a key of its own.
Noise2NetWeights draw_noise2net_weights(const Noise2NetStructure& structure, int stage, std::int64_t image,
                                        Key key);

}  // namespace noisymix

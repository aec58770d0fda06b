#include "augment/perturbations/noise2net_draws.h"

#include <cmath>

namespace noisymix {
namespace {

/// `count` values from the words of a key's blocks.
std::vector<float> uniform_weights(std::int64_t count, std::int64_t fan_in, Key key) {
  const auto bound = static_cast<float>(1 / std::sqrt(static_cast<double>(fan_in)));
  std::vector<float> weights(static_cast<std::size_t>(count));
  std::array<std::uint32_t, 4> words{};
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (i % 4 == 0) words = key.block(i / 4);
    weights[i] = bound * (static_cast<float>(words[i % 4] >> 8) * 0x1p-23f - 1);
  }
  return weights;
}

}  // namespace

Noise2NetStructure draw_noise2net_structure(std::int64_t channels, std::int64_t hidden, Key key) {
  Noise2NetStructure structure;
  structure.channels = channels;
  structure.hidden = hidden;
  for (std::size_t stage = 0; stage < structure.convs.size(); ++stage)
    for (std::size_t slice = 0; slice < structure.convs[stage].size(); ++slice) {
      const Key own = key.child(static_cast<std::int64_t>(stage)).child(static_cast<std::int64_t>(slice));
      Noise2NetConv& conv = structure.convs[stage][slice];
      conv.kernel = own.child("kernel").below(0, 2) == 0 ? 1 : 3;
      conv.dilation = 1 + own.child("dilation").below(0, 3);
    }
  return structure;
}

Noise2NetWeights draw_noise2net_weights(const Noise2NetStructure& structure, int stage, std::int64_t image,
                                        Key key) {
  const Key own = key.child(image).child(stage);
  const std::int64_t channels = structure.channels, hidden = structure.hidden, width = structure.width();
  Noise2NetWeights weights;
  weights.expand = uniform_weights(width * channels, channels, own.child("expand"));
  for (std::size_t slice = 0; slice < weights.convs.size(); ++slice) {
    const std::int64_t fan_in = hidden * structure.convs[static_cast<std::size_t>(stage)][slice].taps();
    weights.convs[slice] =
        uniform_weights(hidden * fan_in, fan_in, own.child("conv").child(static_cast<std::int64_t>(slice)));
  }
  weights.reduce = uniform_weights(channels * width, width, own.child("reduce"));
  return weights;
}

}  // namespace noisymix

// From bytes to the floats a network sees.
#pragma once

#include <cstddef>

#include "augment/image.h"

namespace noisymix {

/// The normalisation of a channel as scale * byte + offset.
struct ChannelAffine {
  float scale[3], offset[3];
};
ChannelAffine channel_affine(const Normalization& normalization);

/// One image of a weighted sum.
struct WeightedBytes {
  const std::uint8_t* pixels;
  float weight;
};

/// out = P(sum_k weight_k image_k) for weights that sum to 1, P = normalisation per channel; height x width x
/// channels floats. All images have the shape of `like`.
void normalize_mixture(const Image& like, const WeightedBytes* images, std::size_t count,
                       const Normalization& normalization, float* out);

/// out = P(image).
void normalize(const Image& image, const Normalization& normalization, float* out);

}  // namespace noisymix

// Frames of snow: one layer of flakes whose streaks turn from frame to frame.
#pragma once

#include <memory>
#include <span>

#include "augment/corruptions/snow.h"
#include "augment/sequences/sequence.h"

namespace noisymix {

/// Constants of a benchmark; the layer's mean, deviation, enlargement and threshold, and so on.
const SnowRow& snow_sequence_row(ParameterSet set);

/// The frames of an image and a drawn layer (height x width, as in SnowDraws): frame i is the corruption
/// snow() with this layer and the angle 4 i - 150 degrees.
std::unique_ptr<FrameStream> snow_frames(const Image& image, std::span<const double> layer,
                                         const SnowRow& row);

}  // namespace noisymix

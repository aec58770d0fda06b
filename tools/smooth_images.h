// Random pictures for benchmarks.
#pragma once

#include <cstdint>
#include <memory>

#include "data/dataset.h"

namespace noisymix {

/// Smooth random RGB pictures (bilinear between random corners every four pixels): the time of some
/// operations depends on the histogram, and white noise has an unnatural one. At most a thousand different
/// ones.
std::shared_ptr<const Dataset> make_smooth_images(std::int64_t count, int side);

}  // namespace noisymix

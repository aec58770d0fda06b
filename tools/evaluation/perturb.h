// Test-time perturbations of normalised batches: white noise and salt & pepper, as the papers' tables use
// them.
#pragma once

#include <cstdint>

#include "engine/key.h"
#include "engine/tensor.h"

namespace noisymix {

/// Which channels salt & pepper touches. The published code changes the first one, red, only (register D19).
enum class SaltPepperChannels { red, all };

/// x + sigma N(0, 1) in normalised units, unclipped (D37). Row i of the batch is example first + i and draws
/// from key.child(first + i), so batches of any size give the same noise, and every sigma scales the same
/// draws.
Tensor add_white_noise(const Tensor& x, double sigma, Key key, std::int64_t first);

/// Sets ceil(level h w / 2) distinct pixels of each image [n, h, w, c] to the least value of their channel in
/// that image, then as many freshly drawn ones (the two sets may overlap) to the largest. Positions are those
/// of all channels touched.
Tensor add_salt_pepper(const Tensor& x, double level, SaltPepperChannels channels, Key key,
                       std::int64_t first);

}  // namespace noisymix

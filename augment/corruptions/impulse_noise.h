// Corruption "impulse_noise": some values become black or white.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "augment/corruptions/corruption.h"

namespace noisymix {

/// Share of the values that change, by parameter set.
inline constexpr BySeverity<double> kImpulseNoise[] = {
    {0.01, 0.02, 0.03, 0.05, 0.07},
    {0.01, 0.02, 0.05, 0.08, 0.14},
    {0.03, 0.06, 0.09, 0.17, 0.27},
};

/// Masks of 0 and 1, one entry for each byte of an image: flipped with probability `amount` (to 2^-32),
/// salted with probability one half. Where an entry is not flipped, salted is 0.
void draw_impulse_noise(Key key, double amount, Scratch& scratch, std::span<std::uint8_t> flipped,
                        std::span<std::uint8_t> salted);

/// 255 where flipped and salted, 0 where only flipped; channels are on their own. Exact in bytes, so nothing
/// is truncated.
void impulse_noise(const Image& image, std::span<const std::uint8_t> flipped,
                   std::span<const std::uint8_t> salted, Image& out);

std::unique_ptr<Corruption> make_impulse_noise(ParameterSet set, int severity);

}  // namespace noisymix

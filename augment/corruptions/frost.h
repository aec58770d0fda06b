// Corruption "frost": the image under a picture of ice on glass.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "augment/corruptions/corruption.h"

namespace noisymix {

struct FrostConstants {
  double image, frost;  ///< shares; they add up to more than one
};
inline constexpr BySeverity<FrostConstants> kFrostCifar{{1, .2}, {1, .3}, {.9, .4}, {.85, .4}, {.75, .45}};
inline constexpr BySeverity<FrostConstants> kFrostTinyImagenet{
    {1, .3}, {.9, .4}, {.8, .45}, {.75, .5}, {.7, .55}};
inline constexpr BySeverity<FrostConstants> kFrostImagenet{{1, .4}, {.8, .6}, {.7, .7}, {.65, .7}, {.6, .75}};
/// `severity` 1..5.
FrostConstants frost_constants(ParameterSet set, int severity);
/// How much smaller pictures of frost are made: 0.2, 0.3 or 1.
double frost_picture_scale(ParameterSet set);

/// The benchmark has six pictures and chooses among the first five.
inline constexpr int kFrostPictures = 5;

/// Which picture, and the upper left corner of the crop.
struct FrostDraws {
  int picture = 0, row = 0, column = 0;
};
/// The picture among the first kFrostPictures, then row and column so that an image of height x width ends at
/// least one pixel before the picture does (on an axis where it does not, any place in the
/// picture).
FrostDraws draw_frost(Key key, std::span<const Image> pictures, int height, int width);

/// min(image share * x + frost share * ice, 255) on bytes, in the layout of the image: the value before it is
/// cut off to a byte. `ice`: as many channels as the image, rows `ice_stride` bytes apart.
void frost_values(const Image& image, const std::uint8_t* ice, std::size_t ice_stride,
                  const FrostConstants& constants, double* values);
/// The same, cut off to bytes; computed in double, since one value in twenty is a whole number.
void frost(const Image& image, const std::uint8_t* ice, std::size_t ice_stride,
           const FrostConstants& constants, Image& out);

/// The pictures of the options, RGB or grey, made smaller by the set's scale, or procedural ice
/// (augment/corruptions/ice.h), which is continued by reflection where an image is larger. Throws ConfigError
/// unless 1 <= severity <= 5; apply() throws it for an image that a picture does not exceed on both sides.
std::unique_ptr<Corruption> make_frost(ParameterSet set, int severity, const CorruptionOptions& options = {});

}  // namespace noisymix

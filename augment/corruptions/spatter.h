// Corruption "spatter": drops of water or splashes of mud on the lens.
#pragma once

#include <memory>
#include <span>

#include "augment/corruptions/corruption.h"

namespace noisymix {

struct SpatterConstants {
  double mean, deviation;  ///< of the layer's normal draws
  double blur;             ///< sigma, pixels
  double threshold;        ///< below it the layer is empty
  double strength;         ///< of water; of mud, the sigma of a second blur
  bool mud;
};
inline constexpr BySeverity<SpatterConstants> kSpatterCifar{{.62, .1, .7, .7, .5, false},
                                                            {.65, .1, .8, .7, .5, false},
                                                            {.65, .3, 1, .69, .5, false},
                                                            {.65, .1, .7, .69, .6, true},
                                                            {.65, .1, .5, .68, .6, true}};
inline constexpr BySeverity<SpatterConstants> kSpatterTinyImagenet{{.62, .1, .7, .7, .6, false},
                                                                   {.65, .1, .8, .7, .6, false},
                                                                   {.65, .3, 1, .69, .6, false},
                                                                   {.65, .1, .7, .68, .6, true},
                                                                   {.65, .1, .5, .67, .6, true}};
inline constexpr BySeverity<SpatterConstants> kSpatterImagenet{{.65, .3, 4, .69, .6, false},
                                                               {.65, .3, 3, .68, .6, false},
                                                               {.65, .3, 2, .68, .5, false},
                                                               {.65, .3, 1, .65, 1.5, true},
                                                               {.67, .4, 1, .65, 1.5, true}};
/// `severity` 1..5.
SpatterConstants spatter_constants(ParameterSet set, int severity);

/// The layer before its blur, height x width: N(mean, deviation).
void draw_spatter(Key key, const SpatterConstants& constants, std::span<float> layer);

/// Values 0..255 before they are cut off to bytes, in the layout of the image, from a drawn layer of its
/// height x width. Water: the layer in 8 bits times a relief of the distance from its edges, scaled to
/// `strength` at its strongest pixel, adds pale blue. Mud: where the layer lies above the threshold, smoothed
/// and again cut below 0.8, brown replaces the image. A grey image takes the grey of those colours. T is the
/// layer's precision: double as the benchmark, or float; what follows the layer is float in both.
template <class T>
void spatter_values(const Image& image, std::span<const T> layer, const SpatterConstants& constants,
                    Scratch& scratch, float* values);
/// The same, cut off to bytes.
template <class T>
void spatter(const Image& image, std::span<const T> layer, const SpatterConstants& constants,
             Scratch& scratch, Image& out);

/// Throws ConfigError unless 1 <= severity <= 5.
std::unique_ptr<Corruption> make_spatter(ParameterSet set, int severity);

}  // namespace noisymix

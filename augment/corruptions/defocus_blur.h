// Corruption "defocus_blur": every point becomes a disk with a soft edge.
#pragma once

#include <memory>
#include <span>

#include "augment/corruptions/corruption.h"
#include "augment/filters/tap_sums.h"

namespace noisymix {

/// The disk's radius and the Gaussian that softens its edge, in pixels.
struct DefocusRow {
  double radius, alias;
};
/// By parameter set.
inline constexpr BySeverity<DefocusRow> kDefocusBlur[] = {
    {{.3, .4}, {.4, .5}, {.5, .6}, {1, .2}, {1.5, .1}},
    {{.5, .6}, {1, .1}, {1.5, .1}, {2.5, .01}, {3, .1}},
    {{3, .1}, {4, .5}, {6, .5}, {8, .5}, {10, .5}},
};

/// Correlates every channel with the taps of disk_taps(), borders mirrored without repeating the edge;
/// nothing is drawn. `values` receives 0 .. 255 before truncation, in the layout of the image.
void defocus_blur(const Image& image, std::span<const Tap> disk, Scratch& scratch, double* values);
/// The same, truncated to bytes.
void defocus_blur(const Image& image, std::span<const Tap> disk, Scratch& scratch, Image& out);

/// Throws ConfigError unless 1 <= severity <= 5.
std::unique_ptr<Corruption> make_defocus_blur(ParameterSet set, int severity);

}  // namespace noisymix

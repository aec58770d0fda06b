// Corruption "zoom_blur": the mean of an image and of many slight enlargements of it.
#pragma once

#include <memory>
#include <vector>

#include "augment/corruptions/corruption.h"

namespace noisymix {

/// `count` factors from 1 upwards, `step` apart.
struct ZoomRow {
  double step;
  int count;
};
/// By parameter set.
inline constexpr BySeverity<ZoomRow> kZoomBlur[] = {
    {{.01, 7}, {.01, 12}, {.01, 16}, {.01, 21}, {.01, 26}},
    {{.01, 7}, {.01, 12}, {.01, 16}, {.01, 21}, {.01, 26}},
    {{.01, 12}, {.01, 16}, {.02, 11}, {.02, 13}, {.03, 11}},
};

/// The factors, as the published code's ranges round them.
std::vector<double> zoom_factors(const ZoomRow& row);

/// (x + sum of clipped_zoom(x) over the factors) / (count + 1) in single precision; nothing is drawn.
/// `values` receives 0 .. 255 before truncation, in the layout of the image.
void zoom_blur(const Image& image, const ZoomRow& row, Scratch& scratch, float* values);
/// The same, truncated to bytes.
void zoom_blur(const Image& image, const ZoomRow& row, Scratch& scratch, Image& out);

/// Throws ConfigError unless 1 <= severity <= 5.
std::unique_ptr<Corruption> make_zoom_blur(ParameterSet set, int severity);

}  // namespace noisymix

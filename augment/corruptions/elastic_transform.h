// Corruption "elastic_transform": a small affine map, then a smooth random displacement of every pixel.
#pragma once

#include <memory>
#include <span>

#include "augment/corruptions/corruption.h"

namespace noisymix {

/// Displacement's factor, its smoothing and the largest jitter of a corner, as shares of a side.
struct ElasticRow {
  double alpha, sigma, affine;
};
/// By parameter set.
inline constexpr BySeverity<ElasticRow> kElastic[] = {
    {{0, 0, .08}, {.05, .2, .07}, {.08, .06, .06}, {.1, .04, .05}, {.1, .03, .03}},
    {{0, 0, .08}, {.05, .3, .06}, {.1, .08, .06}, {.1, .03, .03}, {.16, .03, .02}},
    {{2, .7, .1}, {2, .08, .2}, {.05, .01, .02}, {.07, .01, .02}, {.12, .01, .02}},
};
/// The side that the shares are of, and the side of the images it was published for. They differ for
/// ImageNet, where 244 stands in the published code.
inline constexpr double kElasticUnit[] = {32, 64, 244}, kElasticSide[] = {32, 64, 224};

/// The same in pixels.
struct ElasticStrength {
  double alpha = 0, sigma = 0, affine = 0;
};
/// For images whose shorter side is `side`. Other sides than the published one scale the unit, so that the
/// result looks alike at any resolution. Throws ConfigError unless 1 <= severity <= 5.
ElasticStrength elastic_strength(ParameterSet set, int severity, int side);

/// What is random. Fields are height x width, row-major, uniform in [-1, 1), and unsmoothed; they are empty
/// where alpha is 0.
struct ElasticDraws {
  float jitter[3][2] = {};  ///< of three points, (x, y) in pixels
  std::span<const float> dx, dy;
};
/// The fields lie in `scratch`, valid until the caller's frame ends.
ElasticDraws draw_elastic(Key key, int height, int width, const ElasticStrength& strength, Scratch& scratch);

/// The affine map takes three points around the centre to themselves plus the jitter (border mirrored, the
/// edge not repeated); then pixel (x, y) shows (x + alpha gauss(dx), y + alpha gauss(dy)) (border reflected).
/// `values`, height x width x channels + 3 floats, receives 0 .. 255 before truncation (the last three are
/// undefined). `out` must be another object than `image`.
void elastic_transform(const Image& image, const ElasticDraws& draws, const ElasticStrength& strength,
                       Scratch& scratch, float* values);
/// The same, truncated to bytes.
void elastic_transform(const Image& image, const ElasticDraws& draws, const ElasticStrength& strength,
                       Scratch& scratch, Image& out);

std::unique_ptr<Corruption> make_elastic_transform(ParameterSet set, int severity);

}  // namespace noisymix

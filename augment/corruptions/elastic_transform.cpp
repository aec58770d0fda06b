#include "augment/corruptions/elastic_transform.h"

#include <algorithm>
#include <utility>

#include "augment/filters/affine_warp.h"
#include "augment/filters/gaussian_filter.h"
#include "augment/filters/map_coordinates.h"
#include "augment/filters/quad_pixels.h"
#include "augment/filters/random_fields.h"
#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {
namespace {

NM_VECTORISED(to_both_signs, (float* NM_RESTRICT values, std::size_t n), (values, n)) {
  for (std::size_t i = 0; i < n; ++i) values[i] = 2 * values[i] - 1;
}

NM_VECTORISED(scale, (float* NM_RESTRICT values, std::size_t n, float factor), (values, n, factor)) {
  for (std::size_t i = 0; i < n; ++i) values[i] *= factor;
}

NM_VECTORISED(truncate, (const float* NM_RESTRICT values, std::size_t n, std::uint8_t* NM_RESTRICT out),
              (values, n, out)) {
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::uint8_t>(static_cast<int>(values[i]));
}

/// The map of the jittered points. Coordinates are single precision, as published.
AffineMap jittered_map(int height, int width, const float (&jitter)[3][2]) {
  const auto x = static_cast<float>(width / 2), y = static_cast<float>(height / 2);
  const auto q = static_cast<float>(std::min(height, width) / 3);
  const float from[3][2] = {{x + q, y + q}, {x + q, y - q}, {x - q, y - q}};
  float to[3][2];
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 2; ++j) to[i][j] = from[i][j] + jitter[i][j];
  return affine_through(from, to);
}

/// Smooths and scales a field: displacements in pixels.
std::span<const float> displacement(std::span<const float> field, int height, int width,
                                    const ElasticStrength& strength, Scratch& scratch) {
  const auto smooth = scratch.take<float>(field.size());
  gaussian_filter(field.data(), smooth.data(), height, width, 1, strength.sigma, 3.0, Border::reflect,
                  scratch);
  scale(smooth.data(), smooth.size(), static_cast<float>(strength.alpha));
  return smooth;
}

class ElasticTransform final : public Corruption {
 public:
  ElasticTransform(ParameterSet set, int severity) : set_(set), severity_(severity) {}
  void apply(const Image& image, Key key, Scratch& scratch, Image& out) const override {
    const Scratch::Frame frame(scratch);
    const ElasticStrength strength = elastic_strength(set_, severity_, std::min(image.height, image.width));
    elastic_transform(image, draw_elastic(key, image.height, image.width, strength, scratch), strength,
                      scratch, out);
  }

 private:
  ParameterSet set_;
  int severity_;
};

}  // namespace

ElasticStrength elastic_strength(ParameterSet set, int severity, int side) {
  NM_CHECK(severity >= 1 && severity <= kSeverities, "[elastic_transform] severity is ", severity,
           ", expected 1 to 5");
  const auto s = static_cast<std::size_t>(set);
  const ElasticRow& row = kElastic[s][severity - 1];
  const double unit = kElasticUnit[s] * side / kElasticSide[s];
  return {unit * row.alpha, unit * row.sigma, unit * row.affine};
}

ElasticDraws draw_elastic(Key key, int height, int width, const ElasticStrength& strength, Scratch& scratch) {
  ElasticDraws draws;
  float uniform[6];
  fill_uniform(key.child("jitter"), uniform);
  for (std::size_t i = 0; i < 6; ++i)
    draws.jitter[i / 2][i % 2] = static_cast<float>(strength.affine) * (2 * uniform[i] - 1);
  if (strength.alpha == 0) return draws;
  const auto count = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  const auto fields = scratch.take<float>(2 * count);
  fill_uniform(key.child("displacement"), fields);
  to_both_signs(fields.data(), fields.size());
  draws.dx = fields.first(count);
  draws.dy = fields.subspan(count);
  return draws;
}

void elastic_transform(const Image& image, const ElasticDraws& draws, const ElasticStrength& strength,
                       Scratch& scratch, float* values) {
  const Scratch::Frame frame(scratch);
  const int height = image.height, width = image.width;
  const auto count = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  NM_CHECK(strength.alpha == 0 || (draws.dx.size() == count && draws.dy.size() == count),
           "[elastic_transform] fields have ", draws.dx.size(), " and ", draws.dy.size(),
           " values, expected one per pixel, ", count);
  const auto first = scratch.take<float>(4 * count), second = scratch.take<float>(4 * count);
  to_quads(image, first.data(), scratch);
  affine_warp(first.data(), second.data(), height, width, jittered_map(height, width, draws.jitter),
              Border::mirror, scratch);
  const float* result = second.data();
  if (strength.alpha != 0) {
    const auto dx = displacement(draws.dx, height, width, strength, scratch);
    const auto dy = displacement(draws.dy, height, width, strength, scratch);
    map_coordinates(second.data(), dx.data(), dy.data(), first.data(), height, width);
    result = first.data();
  }
  from_quads(result, count, image.channels, values);
}

void elastic_transform(const Image& image, const ElasticDraws& draws, const ElasticStrength& strength,
                       Scratch& scratch, Image& out) {
  const Scratch::Frame frame(scratch);
  const auto values = scratch.take<float>(image.pixels.size() + 3);
  elastic_transform(image, draws, strength, scratch, values.data());
  out.height = image.height;
  out.width = image.width;
  out.channels = image.channels;
  out.pixels.resize(image.pixels.size());
  truncate(values.data(), out.pixels.size(), out.pixels.data());
}

std::unique_ptr<Corruption> make_elastic_transform(ParameterSet set, int severity) {
  elastic_strength(set, severity, 32);  // checks
  return std::make_unique<ElasticTransform>(set, severity);
}

}  // namespace noisymix

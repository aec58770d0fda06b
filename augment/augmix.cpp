#include "augment/augmix.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "augment/augmix_draws.h"
#include "augment/image_ops.h"
#include "augment/normalize.h"
#include "engine/error.h"

namespace noisymix {
namespace {

void apply_step(const ChainStep& step, const Image& image, Image& out) {
  const auto number = [&](int side) { return step_parameter(step, side); };
  const auto whole = [&](int side = 0) { return static_cast<int>(step_parameter(step, side)); };
  switch (step.operation) {
    case Operation::autocontrast:
      return autocontrast(image, out);
    case Operation::equalize:
      return equalize(image, out);
    case Operation::posterize:
      return posterize(image, out, whole());
    case Operation::rotate:
      return rotate(image, out, whole());
    case Operation::solarize:
      return solarize(image, out, whole());
    case Operation::shear_x:
      return shear_x(image, out, number(0));
    case Operation::shear_y:
      return shear_y(image, out, number(0));
    case Operation::translate_x:
      return translate_x(image, out, whole(image.width));
    case Operation::translate_y:
      return translate_y(image, out, whole(image.height));
    case Operation::color:
      return color(image, out, number(0));
    case Operation::contrast:
      return contrast(image, out, number(0));
    case Operation::brightness:
      return brightness(image, out, number(0));
    case Operation::sharpness:
      return sharpness(image, out, number(0));
  }
}

}  // namespace

const char* name_of(Operation operation) {
  static constexpr const char* kNames[] = {
      "autocontrast", "equalize",    "posterize", "rotate",   "solarize",   "shear_x",  "shear_y",
      "translate_x",  "translate_y", "color",     "contrast", "brightness", "sharpness"};
  return kNames[static_cast<std::size_t>(operation)];
}

double step_parameter(const ChainStep& step, int side) {
  return parameter_of(step, side);
}

void check_augmix(const AugMixOptions& options) {
  NM_CHECK_AS(ConfigError, options.severity >= 1 && options.severity <= 10,
              "[augmix] severity must be in 1..10, got ", options.severity);
  NM_CHECK_AS(ConfigError, options.width >= 1, "[augmix] width must be at least 1, got ", options.width);
  NM_CHECK_AS(ConfigError, options.depth >= 1 || options.depth == -1,
              "[augmix] depth must be at least 1, or -1 for a random one, got ", options.depth);
  NM_CHECK_AS(ConfigError, options.alpha > 0 && std::isfinite(options.alpha),
              "[augmix] alpha must be positive, got ", options.alpha);
}

void draw_augmix(const AugMixOptions& options, Key key, AugMixDraw& draw) {
  check_augmix(options);
  const int severity = draw_severity(options, key);
  const auto width = static_cast<std::size_t>(options.width);
  draw.weights.resize(width);
  draw_weights(options, key, draw.weights.data());
  draw.skip = draw_skip(options, key);
  draw.chains.resize(width);
  for (std::size_t i = 0; i < width; ++i) {
    const Key chain = chain_key(key, static_cast<int>(i));
    std::vector<ChainStep>& steps = draw.chains[i];
    steps.resize(static_cast<std::size_t>(draw_depth(options, chain)));
    for (std::size_t k = 0; k < steps.size(); ++k)
      steps[k] = draw_step(options, severity, chain, static_cast<int>(k));
  }
}

void run_chain(const Image& image, const std::vector<ChainStep>& steps, Image& result, Image& spare) {
  if (steps.empty()) result = image;
  const Image* current = &image;
  for (const ChainStep& step : steps) {
    apply_step(step, *current, spare);
    std::swap(result, spare);
    current = &result;
  }
}

void augmix(const Image& image, const AugMixDraw& draw, const Normalization& normalization, float* out) {
  NM_CHECK(draw.weights.size() == draw.chains.size(), "[augmix] ", draw.weights.size(), " weights for ",
           draw.chains.size(), " chains");
  thread_local std::vector<Image> results;
  thread_local Image spare;
  thread_local std::vector<WeightedBytes> images;
  const std::size_t width = draw.chains.size();
  if (results.size() < width) results.resize(width);
  images.assign({{image.pixels.data(), static_cast<float>(1 - draw.skip)}});
  for (std::size_t i = 0; i < width; ++i) {
    run_chain(image, draw.chains[i], results[i], spare);
    images.push_back({results[i].pixels.data(), static_cast<float>(draw.skip * draw.weights[i])});
  }
  normalize_mixture(image, images.data(), images.size(), normalization, out);
}

void augmix(const Image& image, Key key, const AugMixOptions& options, const Normalization& normalization,
            float* out) {
  thread_local AugMixDraw draw;
  draw_augmix(options, key, draw);
  augmix(image, draw, normalization, out);
}

}  // namespace noisymix

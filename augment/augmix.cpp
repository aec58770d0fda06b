#include "augment/augmix.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "augment/image_ops.h"
#include "augment/normalize.h"
#include "engine/error.h"

namespace noisymix {
namespace {

/// Fills `weights` with a draw from Dirichlet(alpha, ...). Gamma(1) variables are exponential: the usual
/// alpha = 1 needs one logarithm per weight.
void draw_dirichlet(Key key, double alpha, std::vector<double>& weights) {
  Draws draws(key);
  double sum = 0;
  for (double& w : weights) {
    w = alpha == 1 ? -std::log(1 - draws.uniform()) : draws.gamma(alpha);
    sum += w;
  }
  // All gammas may underflow when alpha is tiny; the law then puts everything on one chain.
  if (!(sum > 0)) {
    weights[static_cast<std::size_t>(draws.below(static_cast<std::int64_t>(weights.size())))] = 1;
    sum = 1;
  }
  for (double& w : weights) w /= sum;
}

/// A whole number in 0..count-1 from one word; its bias of count / 2^32 is far below what any run could
/// notice.
int below(std::uint32_t word, int count) {
  return static_cast<int>((static_cast<std::uint64_t>(word) * static_cast<std::uint64_t>(count)) >> 32);
}

void draw_chain(const AugMixOptions& options, int severity, Key key, std::vector<ChainStep>& steps) {
  const int operations = options.all_operations ? kAllOperations : kOperations;
  const int depth = options.depth > 0 ? options.depth : 1 + below(key.block(0)[0], 3);
  steps.resize(static_cast<std::size_t>(depth));
  for (std::size_t k = 0; k < steps.size(); ++k) {
    const auto words = key.block(k + 1);
    steps[k].operation = static_cast<Operation>(below(words[0], operations));
    steps[k].level = 0.1 + (severity - 0.1) * (words[1] * 0x1p-32);
    steps[k].negated = words[2] >= 0x80000000u;
  }
}

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
  // Levels run from 0 to 10; `most` is the parameter at level 10.
  const auto real = [&](double most) { return step.level * most / 10; };
  const auto whole = [&](double most) { return std::trunc(step.level * most / 10); };
  const double sign = step.negated ? -1 : 1;
  switch (step.operation) {
    case Operation::autocontrast:
    case Operation::equalize:
      return 0;
    case Operation::posterize:
      return 4 - whole(4);
    case Operation::rotate:
      return sign * whole(30);
    case Operation::solarize:
      return 256 - whole(256);
    case Operation::shear_x:
    case Operation::shear_y:
      return sign * real(0.3);
    case Operation::translate_x:
    case Operation::translate_y:
      return sign * whole(side / 3.0);
    case Operation::color:
    case Operation::contrast:
    case Operation::brightness:
    case Operation::sharpness:
      return real(1.8) + 0.1;
  }
  return 0;
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
  const int severity =
      options.random_severity ? 1 + static_cast<int>(key.child("severity").below(0, 10)) : options.severity;
  const auto width = static_cast<std::size_t>(options.width);
  draw.weights.resize(width);
  draw_dirichlet(key.child("weights"), options.alpha, draw.weights);
  Draws skip(key.child("skip"));
  draw.skip = options.alpha == 1 ? skip.uniform() : skip.beta(options.alpha, options.alpha);
  draw.chains.resize(width);
  const Key chains = key.child("chain");
  for (std::size_t i = 0; i < width; ++i)
    draw_chain(options, severity, chains.child(static_cast<std::int64_t>(i)), draw.chains[i]);
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

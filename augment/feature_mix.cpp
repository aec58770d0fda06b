#include "augment/feature_mix.h"

#include <algorithm>
#include <sstream>

namespace noisymix {
namespace {

void check_options(const FeatureMixOptions& options, std::int64_t batch, int views) {
  NM_CHECK_AS(ConfigError, options.alpha >= 0, "[feature_mix] alpha must not be negative, got ",
              options.alpha);
  NM_CHECK_AS(ConfigError, options.add >= 0 && options.mult >= 0,
              "[feature_mix] noise levels must not be negative, got add ", options.add, " and mult ",
              options.mult);
  NM_CHECK_AS(ConfigError, options.sparse >= 0 && options.sparse <= 1,
              "[feature_mix] sparse must be in [0, 1], got ", options.sparse);
  NM_CHECK(batch >= 0 && views >= 1, "[feature_mix] expects at least one view, got ", views, " of ", batch,
           " rows");
}

std::string listed(const std::vector<int>& numbers) {
  std::ostringstream out;
  for (std::size_t i = 0; i < numbers.size(); ++i) out << (i > 0 ? ", " : "") << numbers[i];
  return out.str();
}

const std::vector<int>& eligible_layers(const FeatureMixOptions& options, const std::vector<int>& stages) {
  NM_CHECK_AS(ConfigError, !stages.empty(), "[feature_mix] the model announces no stages to mix at");
  for (const int layer : options.layers)
    NM_CHECK_AS(ConfigError, std::find(stages.begin(), stages.end(), layer) != stages.end(),
                "[feature_mix] layer ", layer, " is not among the model's stages ", listed(stages));
  return options.layers.empty() ? stages : options.layers;
}

}  // namespace

FeatureMixDraw draw_feature_mix(const FeatureMixOptions& options, const std::vector<int>& stages,
                                std::int64_t batch, int views, Key key) {
  check_options(options, batch, views);
  const std::vector<int>& layers = eligible_layers(options, stages);
  FeatureMixDraw draw;
  draw.layer =
      layers[static_cast<std::size_t>(key.child("layer").below(0, static_cast<std::int64_t>(layers.size())))];
  if (options.mix && options.alpha > 0)
    draw.lambda = Draws(key.child("lambda")).beta(options.alpha, options.alpha);
  if (draw.lambda != 1) draw.permutation = permutation(key.child("permutation"), batch);

  for (int view = 1; view <= views; ++view) {
    const Key own = key.child("noise").child(view);
    // Both scales are drawn from their own streams, so that switching one kind of noise off leaves the other
    // as it is.
    const auto scale = [&](const char* kind) {
      return options.scale == NoiseScale::fixed ? 1.0 : Draws(own.child(kind)).beta(2, 5);
    };
    ViewNoise noise;
    noise.add = options.add * scale("additive scale") * (options.view_scale == ViewScale::index ? view : 1);
    noise.mult = options.mult * scale("multiplicative scale");
    noise.sparse = options.sparse;
    noise.law = options.law;
    noise.key = own.child("elements");
    draw.noise.push_back(noise);
  }
  return draw;
}

Tensor apply_feature_mix(const FeatureMixDraw& draw, const Tensor& x) {
  return mix_noise(x, draw.lambda, draw.permutation, draw.noise);
}

}  // namespace noisymix

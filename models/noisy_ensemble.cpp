#include "models/noisy_ensemble.h"

#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/autograd.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/mix_noise.h"
#include "engine/ops/softmax.h"

namespace noisymix {
namespace {

/// One key per row of x, made of the row's values as f32: FNV-1a.
std::vector<Key> keys_of(const Tensor& x) {
  const NoGrad unrecorded;
  const std::vector<float> values = x.detach().to(Dtype::f32).to(Device{}).to_vector<float>();
  const std::size_t rows = static_cast<std::size_t>(x.dim(0)), size = rows > 0 ? values.size() / rows : 0;
  std::vector<Key> keys;
  for (std::size_t i = 0; i < rows; ++i) {
    std::uint64_t hash = 0xCBF29CE484222325ull;
    for (std::size_t j = i * size; j < (i + 1) * size; ++j)
      hash = (hash ^ std::bit_cast<std::uint32_t>(values[j])) * 0x100000001B3ull;
    keys.push_back(Key(hash).child("ensemble"));
  }
  return keys;
}

}  // namespace

NoisyEnsemble::NoisyEnsemble(std::unique_ptr<Model> network, const NoisyEnsembleOptions& options)
    : network_(std::move(network)), options_(options) {
  NM_CHECK_AS(ConfigError, options.copies >= 1, "[ensemble] expects at least one copy, got ", options.copies);
  NM_CHECK_AS(ConfigError, std::isfinite(options.noise) && options.noise >= 0,
              "[ensemble] the noise must be a number of at least 0, got ", options.noise);
  register_module("", *network_);
}

Tensor NoisyEnsemble::forward(const Tensor& x, const Context& context) {
  if (context.training) return (*network_)(x, context);
  const std::vector<Key> keys = keys_of(x);
  Tensor total;
  for (int k = 0; k < options_.copies; ++k) {
    std::vector<ViewNoise> noise;  // the op's "view" is one image here
    for (const Key& key : keys) noise.push_back({.add = options_.noise, .key = key.child(k)});
    const Tensor seen = keys.empty() ? x : mix_noise(x, 1, {}, noise);
    Tensor answer = (*network_)(seen, context);
    if (answer.dtype() == Dtype::bf16) answer = answer.to(Dtype::f32);
    if (options_.average_probabilities) answer = softmax(answer);
    total = k == 0 ? answer : add(total, answer);
  }
  const Tensor mean = mul(total, 1.0 / options_.copies);
  if (!options_.average_probabilities) return mean;
  constexpr double kTiny = std::numeric_limits<float>::min();  // keeps the logarithm finite
  return log(clamp(mean, kTiny, 2));
}

}  // namespace noisymix

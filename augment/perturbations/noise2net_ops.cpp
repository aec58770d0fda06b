// Noise2Net as ops of the engine: all images as one with channels in groups, on any device.
#include "augment/perturbations/noise2net_passes.h"
#include "engine/ops/batch_norm.h"
#include "engine/ops/concat.h"
#include "engine/ops/conv2d.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/permute.h"
#include "engine/ops/slice.h"

namespace noisymix {
namespace {

/// Batch norm of x [1, h, w, channels] by its own statistics.
Tensor normalised(const Tensor& x, bool relu) {
  const Shape channels{x.dim(3)};
  const Tensor weight = Tensor::ones(channels, x.dtype(), x.device());
  const Tensor bias = Tensor::zeros(channels, x.dtype(), x.device());
  Tensor mean = Tensor::zeros(channels, x.dtype(), x.device());
  Tensor variance = Tensor::ones(channels, x.dtype(), x.device());
  BatchNormOptions options;
  options.relu = relu;
  return batch_norm_train(x, weight, bias, mean, variance, options);
}

/// The weights of one stage, of all images.
class StageWeights {
 public:
  StageWeights(const Noise2NetStructure& structure, int stage, const Tensor& like, std::int64_t images,
               Key key)
      : structure_(structure), like_(like) {
    for (std::int64_t i = 0; i < images; ++i)
      weights_.push_back(draw_noise2net_weights(structure, stage, i, key));
  }
  Tensor expand() const {
    return joined([](const Noise2NetWeights& w) { return &w.expand; }, 1, structure_.channels);
  }
  Tensor conv(std::size_t slice, std::int64_t kernel) const {
    return joined([slice](const Noise2NetWeights& w) { return &w.convs[slice]; }, kernel, structure_.hidden);
  }
  Tensor reduce() const {
    return joined([](const Noise2NetWeights& w) { return &w.reduce; }, 1, structure_.width());
  }

 private:
  template <typename Part>
  Tensor joined(const Part& part, std::int64_t kernel, std::int64_t inputs) const {
    std::vector<float> all;
    for (const Noise2NetWeights& weights : weights_)
      all.insert(all.end(), part(weights)->begin(), part(weights)->end());
    const auto outputs = static_cast<std::int64_t>(all.size()) / (kernel * kernel * inputs);
    return Tensor::from(all, {outputs, kernel, kernel, inputs}, like_.device()).to(like_.dtype());
  }

  const Noise2NetStructure& structure_;
  const Tensor& like_;
  std::vector<Noise2NetWeights> weights_;
};

/// g(x) of one stage, x [1, h, w, images * channels].
Tensor branch(const Tensor& x, const Noise2NetStructure& structure, int stage, std::int64_t images, Key key) {
  const std::int64_t height = x.dim(1), width = x.dim(2), hidden = structure.hidden;
  const StageWeights weights(structure, stage, x, images, key);
  Conv2dOptions pointwise;
  pointwise.groups = images;
  const Tensor wide = normalised(conv2d(x, weights.expand(), {}, pointwise), true)
                          .reshape({height * width, images, structure.width()});
  std::vector<Tensor> parts;
  Tensor result;
  for (std::size_t slice = 0; slice < kNoise2NetSlices; ++slice) {
    const Noise2NetConv& conv = structure.convs[static_cast<std::size_t>(stage)][slice];
    const auto first = static_cast<std::int64_t>(slice) * hidden;
    const Tensor own = noisymix::slice(wide, {{0, height * width}, {0, images}, {first, first + hidden}})
                           .reshape({1, height, width, images * hidden});
    Conv2dOptions options = Conv2dOptions::square(1, conv.padding());
    options.dilation_h = options.dilation_w = conv.dilation;
    options.groups = images;
    const Tensor input = result.defined() ? add(own, result) : own;
    result = normalised(conv2d(input, weights.conv(slice, conv.kernel), {}, options), true);
    parts.push_back(result.reshape({height * width, images, hidden}));
  }
  parts.push_back(
      slice(wide, {{0, height * width}, {0, images}, {kNoise2NetSlices * hidden, structure.width()}}));
  const Tensor all = concat(parts, 2).reshape({1, height, width, images * structure.width()});
  return normalised(conv2d(all, weights.reduce(), {}, pointwise), false);
}

}  // namespace

Tensor noise2net_with_ops(const Tensor& images, const Noise2NetStructure& structure, double epsilon,
                          Key key) {
  const std::int64_t count = images.dim(0), height = images.dim(1), width = images.dim(2);
  Tensor x = permute(images, {1, 2, 0, 3}).reshape({1, height, width, count * structure.channels});
  for (int stage = 0; stage < kNoise2NetStages; ++stage)
    x = add(x, mul(branch(x, structure, stage, count, key), epsilon));
  return permute(x.reshape({height, width, count, structure.channels}), {2, 0, 1, 3});
}

}  // namespace noisymix

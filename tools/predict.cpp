#include "tools/predict.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "augment/views.h"
#include "data/image_codec.h"
#include "data/image_resize.h"
#include "data/image_transform.h"
#include "engine/autograd.h"
#include "engine/error.h"

namespace noisymix {
namespace {

// Luma of ITU-R BT.601, as PNG and JPEG tools turn colour into grey.
Image to_grey(const Image& image) {
  if (image.channels == 1) return image;
  Image grey(image.height, image.width, 1);
  for (std::size_t i = 0; i < grey.pixels.size(); ++i) {
    const std::uint8_t* rgb = &image.pixels[3 * i];
    grey.pixels[i] = static_cast<std::uint8_t>(std::lround(0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]));
  }
  return grey;
}

std::vector<double> softmax_of(const std::vector<float>& logits) {
  for (const float logit : logits) {
    NM_CHECK_AS(DataError, std::isfinite(logit),
                "the model's output is not finite; its training has diverged");
  }
  const double top = *std::max_element(logits.begin(), logits.end());
  std::vector<double> p;
  for (const float logit : logits) p.push_back(std::exp(logit - top));
  const double sum = std::accumulate(p.begin(), p.end(), 0.0);
  for (double& value : p) value /= sum;
  return p;
}

}  // namespace

Image fit_image(const Image& image, const std::vector<std::int64_t>& sample_shape, int resize) {
  NM_CHECK_AS(ConfigError, sample_shape.size() == 3, "this model classifies points, not images");
  const int height = static_cast<int>(sample_shape[0]), width = static_cast<int>(sample_shape[1]);
  Image fitted = sample_shape[2] == 1 ? to_grey(image) : to_rgb(image);
  if (resize > 0 && height == width) return transformed(fitted, {resize, height}, "the picture");
  if (fitted.height == height && fitted.width == width) return fitted;
  return height == width ? resize_and_crop(fitted, height) : resize_image(fitted, height, width);
}

std::vector<ClassProbability> predict_image(LoadedRun& run, const Image& image, std::size_t top) {
  const NoGrad unrecorded;
  const Image fitted = fit_image(image, run.card.sample_shape, run.card.resize);
  Tensor x = Tensor::empty({1, fitted.height, fitted.width, fitted.channels});
  make_plain_views(run.normalization)->make(fitted, Key(0), {x.mutable_data<float>()});
  const std::vector<double> p =
      softmax_of((*run.model)(x.to(run.model->device()), Context::evaluation()).to_vector<float>());

  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] > p[b]; });
  std::vector<ClassProbability> result;
  for (std::size_t i = 0; i < std::min(top, order.size()); ++i) {
    const std::size_t k = order[i];
    result.push_back({k < run.card.class_names.size() ? run.card.class_names[k] : std::to_string(k), p[k]});
  }
  return result;
}

}  // namespace noisymix

// A trained model on single pictures.
#pragma once

#include <string>
#include <vector>

#include "augment/image.h"
#include "tools/checkpoint.h"

namespace noisymix {

struct ClassProbability {
  std::string name;
  double probability = 0;
};

/// The image as a model for images {height, width, channels} wants it: grey or RGB, resized along the shorter
/// side, to `resize` where that is not 0, and cropped to the middle. Throws ConfigError for a model of
/// points.
Image fit_image(const Image& image, const std::vector<std::int64_t>& sample_shape, int resize = 0);

/// The `top` most probable classes, most probable first.
std::vector<ClassProbability> predict_image(LoadedRun& run, const Image& image, std::size_t top = 5);

}  // namespace noisymix

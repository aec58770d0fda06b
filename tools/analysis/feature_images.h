// What excites a unit of a network's features: images grown from noise by gradient ascent on single units in
// front of the head (NFM paper, appendix F.7).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "augment/image.h"
#include "tools/checkpoint.h"

namespace noisymix {

/// What step and radius are measured in: pixels in [0, 1] (the default), or in 0..255. In the unit range the
/// published radius of 2000 exceeds the diameter of the cube at 224 pixels (388) and never binds.
enum class PixelScale { unit, byte };

struct FeatureImageOptions {
  int units = 8;
  int steps = 200;
  double step = 16, radius = 2000;  ///< of one step, and of the ball around the start image (L2)
  PixelScale scale = PixelScale::unit;
  std::uint64_t seed = 0;  ///< of the choice of units and of the start images
  std::int64_t batch = 16;
};

/// One unit's image.
struct FeatureImage {
  std::int64_t unit = 0;
  Image image;                   ///< after the last step, rounded to bytes
  double start = 0, finish = 0;  ///< the unit's value at the start image and after the last step
};

struct FeatureImages {
  std::string run, title;
  std::int64_t features = 0;  ///< units in front of the head
  std::vector<FeatureImage> units;
};

/// Projected gradient ascent x <- Proj_{|x - x0| <= radius}(x + step g / |g|), then clipped to the data
/// range, in evaluation mode; x0 is uniform in the unit range, from the key of its column, so that runs share
/// start images, and, where they have equally many, units. A gradient of zero leaves the image as it is.
///
/// The head's weights become rows of the unit matrix, so that its outputs are the features asked for; they
/// are put back before this returns. Throws ConfigError for a model of something else than images, without a
/// single linear head (Model::head()), or with fewer units than wanted.
FeatureImages feature_images(LoadedRun& run, const FeatureImageOptions& options,
                             const std::function<void(int done, int total)>& progress = {});

/// Rows are runs, columns units; small images are magnified by whole factors.
Image feature_grid(const std::vector<FeatureImages>& runs);

std::string feature_images_json(const FeatureImageOptions& options, const std::vector<FeatureImages>& runs);
/// A line per run and unit.
std::string feature_images_csv(const std::vector<FeatureImages>& runs);

}  // namespace noisymix

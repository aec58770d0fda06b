// Finds test images that a model recognises clean and mistakes with confidence when corrupted.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "augment/corruptions/corruption.h"
#include "data/dataset.h"
#include "tools/checkpoint.h"
#include "tools/report/image_grid.h"

namespace noisymix::report {

struct HarmedOptions {
  std::vector<std::string> types = {"gaussian_noise", "motion_blur", "fog", "pixelate"};
  int severity = 3;
  std::int64_t searched = 1000;  ///< first images of the test set
  std::int64_t batch = 250;
  std::size_t per_type = 2;
  std::uint64_t evaluation_seed = 0;
};

/// make_corruption() for a type's name, with constants and options chosen.
using CorruptionMaker = std::function<std::unique_ptr<Corruption>(const std::string& type, int severity)>;

/// For every type the images with the most confident mistakes, each image once. Draws are those of the
/// evaluation: Key(seed) / "corruption" / type / severity / index. Empty for data of points.
std::vector<HarmedImage> collect_harmed_images(const LoadedRun& run, const Dataset& data,
                                               const CorruptionMaker& make, const HarmedOptions& options);

}  // namespace noisymix::report

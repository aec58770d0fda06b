// What a data set does to every picture before anybody sees it: the test transform of the papers.
#pragma once

#include <memory>

#include "data/dataset.h"

namespace noisymix {

/// The image after resizing the shorter side and cropping the middle, each only when asked for. Throws
/// DataError, with `name` for the picture, when it is smaller than the crop.
Image transformed(const Image& image, const ImageTransform& transform, const std::string& name);

/// The set with every picture transformed; the same set when there is nothing to do. Throws ConfigError for
/// points, for sides out of range, and when no picture can be large enough.
std::shared_ptr<const Dataset> make_transformed(std::shared_ptr<const Dataset> dataset,
                                                const ImageTransform& transform);

}  // namespace noisymix

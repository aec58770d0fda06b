// Pictures that a corruption harmed: clean and corrupted side by side with what the model says.
#pragma once

#include <string>
#include <vector>

#include "augment/image.h"

namespace noisymix::report {

struct Prediction {
  std::string label;
  double confidence = 0;
};

/// One test image that is recognised clean and confidently mistaken when corrupted.
struct HarmedImage {
  Image clean, corrupted;
  std::string truth;       ///< its class
  std::string corruption;  ///< for people: "fog, severity 3"
  Prediction before, after;
};

struct ImageGrid {
  std::string title;
  std::size_t run = 0;
  std::vector<HarmedImage> images;
};

/// A <figure>; empty without images.
std::string draw(const ImageGrid& grid);

}  // namespace noisymix::report

// Labelled examples by index.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "augment/image.h"
#include "engine/key.h"

namespace noisymix {

/// One example: an 8-bit image, or for the toy sets a point (features, with an empty image).
struct Example {
  Image image;
  std::vector<float> features;
  std::int64_t label = 0;
};

/// get() is const and thread-safe; all images of a set have one size (folders resize or refuse).
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual std::int64_t size() const = 0;
  virtual Example get(std::int64_t index) const = 0;
  /// The example as a training step sees it: sets with several pictures per example choose one with the key.
  /// The same as get() in all others.
  virtual Example draw(std::int64_t index, Key) const { return get(index); }
  /// Whether draw() depends on its key, so that the bytes of get() are not the whole set.
  virtual bool varies() const { return false; }
  virtual std::vector<std::string> class_names() const = 0;
  int classes() const { return static_cast<int>(class_names().size()); }
  /// {height, width, channels} of the images, or {count} of the features.
  virtual std::vector<std::int64_t> sample_shape() const = 0;
  /// One line: what it is and where it came from.
  virtual std::string description() const = 0;
};

/// The first `limit` examples of another set.
std::unique_ptr<Dataset> make_subset(std::shared_ptr<const Dataset> dataset, std::int64_t limit);

}  // namespace noisymix

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

/// Resizing of the shorter side, then a centre crop; 0 leaves a step out.
struct ImageTransform {
  int resize = 0, crop = 0;
  bool active() const { return resize > 0 || crop > 0; }
  bool operator==(const ImageTransform&) const = default;
};

/// get() is const and thread-safe. All images of a set have one size, but for sets whose sample_shape() says
/// otherwise.
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
  /// The label of an example, without its picture where that is cheaper.
  virtual std::int64_t label(std::int64_t index) const { return get(index).label; }
  virtual std::vector<std::string> class_names() const = 0;
  int classes() const { return static_cast<int>(class_names().size()); }
  /// {height, width, channels} of the images, or {count} of the features. {0, 0, 3} stands for images that
  /// differ in size, which only views with an output_shape() and make_transformed() take.
  virtual std::vector<std::int64_t> sample_shape() const = 0;
  /// What get() does to the pictures of the files. Other pictures for the same model get the same.
  virtual ImageTransform transform() const { return {}; }
  /// One line: what it is and where it came from.
  virtual std::string description() const = 0;
};

/// The first `limit` examples of another set.
std::unique_ptr<Dataset> make_subset(std::shared_ptr<const Dataset> dataset, std::int64_t limit);

}  // namespace noisymix

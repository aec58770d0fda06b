// A batch of test examples on its way into models.
#pragma once

#include <functional>
#include <vector>

#include "augment/image.h"
#include "augment/scratch.h"
#include "data/dataset.h"
#include "engine/tensor.h"

namespace noisymix {

/// Loads examples, changes their images in parallel, and normalises them for one model after the other. Its
/// memory is reused from batch to batch.
class PictureBatch {
 public:
  using Change = std::function<void(const Image& clean, std::int64_t index, Scratch& scratch, Image& out)>;

  /// Examples first .. first + count - 1. `change` may be empty.
  void load(const Dataset& data, std::int64_t first, std::int64_t count, const Change& change);

  /// The images as f32 [n, h, w, c], or the points as [n, features].
  Tensor normalized(const Normalization& normalization) const;
  const Tensor& labels() const { return labels_; }

 private:
  void change_images(std::int64_t first, const Change& change);
  std::vector<Example> examples_;
  std::vector<Image> changed_;
  std::vector<Scratch> scratches_;  ///< one per chunk of the parallel loop
  bool is_changed_ = false;
  Tensor labels_;
};

/// f32 [n, h, w, c] of equal-sized images.
Tensor normalized_batch(const std::vector<const Image*>& images, const Normalization& normalization);

}  // namespace noisymix

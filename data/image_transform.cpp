#include "data/image_transform.h"

#include <algorithm>
#include <utility>

#include "data/image_codec.h"
#include "data/image_resize.h"
#include "engine/error.h"

namespace noisymix {
namespace {

constexpr int kLargestSide = 4096;

/// Shape of the pictures after the transform; 0 x 0 while they still differ in size.
std::vector<std::int64_t> shape_after(const ImageTransform& transform, std::vector<std::int64_t> shape) {
  if (transform.crop > 0) return {transform.crop, transform.crop, shape[2]};
  const std::int64_t shorter = std::min(shape[0], shape[1]);
  if (shorter == 0) return shape;
  for (std::int64_t side : {0, 1}) {
    std::int64_t& size = shape[static_cast<std::size_t>(side)];
    size = transform.resize * size / shorter;
  }
  return shape;
}

class Transformed final : public Dataset {
 public:
  Transformed(std::shared_ptr<const Dataset> dataset, const ImageTransform& transform)
      : dataset_(std::move(dataset)),
        transform_(transform),
        shape_(shape_after(transform, dataset_->sample_shape())) {}

  std::int64_t size() const override { return dataset_->size(); }
  std::int64_t label(std::int64_t index) const override { return dataset_->label(index); }
  Example get(std::int64_t index) const override {
    Example example = dataset_->get(index);
    const Image& image = example.image;
    if (transform_.resize > 0 || transform_.crop != image.height || transform_.crop != image.width)
      example.image = transformed(image, transform_, "example " + std::to_string(index));
    return example;
  }
  std::vector<std::string> class_names() const override { return dataset_->class_names(); }
  std::vector<std::int64_t> sample_shape() const override { return shape_; }
  ImageTransform transform() const override { return transform_; }
  std::string description() const override {
    std::string text = dataset_->description();
    if (transform_.resize > 0) text += ", resized to " + std::to_string(transform_.resize);
    if (transform_.crop > 0) text += ", centre crop " + std::to_string(transform_.crop);
    return text;
  }

 private:
  std::shared_ptr<const Dataset> dataset_;
  ImageTransform transform_;
  std::vector<std::int64_t> shape_;
};

}  // namespace

Image transformed(const Image& image, const ImageTransform& transform, const std::string& name) {
  const std::int64_t shorter = std::min(image.height, image.width),
                     longer = std::max(image.height, image.width);
  NM_CHECK_AS(DataError, transform.resize * longer <= kLargestImageSide * shorter, name, ": is ",
              image.height, "x", image.width, ", too narrow to make the shorter side ", transform.resize);
  Image result = transform.resize > 0 ? resize_shorter_side(image, transform.resize) : image;
  if (transform.crop == 0) return result;
  NM_CHECK_AS(DataError, result.height >= transform.crop && result.width >= transform.crop, name, ": is ",
              result.height, "x", result.width, ", smaller than the crop of ", transform.crop,
              "; set data.resize to ", transform.crop, " or more");
  return centre_crop(result, transform.crop, transform.crop);
}

std::shared_ptr<const Dataset> make_transformed(std::shared_ptr<const Dataset> dataset,
                                                const ImageTransform& transform) {
  NM_CHECK(dataset != nullptr, "[transform] expects a data set");
  if (!transform.active()) return dataset;
  const auto [resize, crop] = std::pair(transform.resize, transform.crop);
  const std::vector<std::int64_t> shape = dataset->sample_shape();
  NM_CHECK_AS(ConfigError, shape.size() == 3, dataset->description(), ": holds points, which have no size");
  NM_CHECK_AS(ConfigError, resize >= 0 && resize <= kLargestSide && crop >= 0 && crop <= kLargestSide,
              "resize is ", resize, " and crop ", crop, ", expected 0 to ", kLargestSide);
  const std::int64_t shorter = resize > 0 ? resize : std::min(shape[0], shape[1]);
  NM_CHECK_AS(ConfigError, shorter == 0 || crop <= shorter, dataset->description(), ": a crop of ", crop,
              " does not fit pictures whose shorter side is ", shorter, "; choose a larger resize");
  if (resize == 0 && crop == shape[0] && crop == shape[1]) return dataset;
  return std::make_shared<Transformed>(std::move(dataset), transform);
}

}  // namespace noisymix

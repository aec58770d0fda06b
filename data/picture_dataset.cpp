#include "data/picture_dataset.h"

#include "data/image_codec.h"
#include "data/image_resize.h"
#include "engine/error.h"

namespace noisymix {
namespace {

/// A picture by index, RGB, with the shorter side wanted.
using GetPicture = std::function<Image(std::int64_t)>;

class PictureDataset : public Dataset {
 public:
  PictureDataset(std::shared_ptr<const EncodedPictures> pictures, int side, GetPicture get,
                 std::string description)
      : pictures_(std::move(pictures)),
        side_(side),
        get_(std::move(get)),
        description_(std::move(description)) {
    const Image first = square(0);
    shape_ = {first.height, first.width, first.channels};
  }

  std::int64_t size() const override { return pictures_->size(); }
  Example get(std::int64_t index) const override {
    NM_CHECK(index >= 0 && index < size(), "[dataset] example ", index, " of ", size(), " does not exist");
    Example example;
    example.image = square(index);
    NM_CHECK_AS(DataError, example.image.height == shape_[0] && example.image.width == shape_[1],
                pictures_->name(index), ": is ", example.image.height, "x", example.image.width, " but ",
                pictures_->name(0), " is ", shape_[0], "x", shape_[1],
                ", set image_size to bring all pictures to one size");
    example.label = pictures_->label(index);
    return example;
  }
  std::vector<std::string> class_names() const override { return pictures_->class_names(); }
  std::vector<std::int64_t> sample_shape() const override { return shape_; }
  std::string description() const override { return description_; }

 private:
  Image square(std::int64_t index) const {
    Image image = get_(index);
    return side_ > 0 ? centre_crop(image, side_, side_) : image;
  }

  std::shared_ptr<const EncodedPictures> pictures_;
  int side_;
  GetPicture get_;
  std::string description_;
  std::vector<std::int64_t> shape_;
};

}  // namespace

std::shared_ptr<const Dataset> make_picture_dataset(std::shared_ptr<const EncodedPictures> pictures,
                                                    int image_size, bool fast_decode,
                                                    std::string description) {
  NM_CHECK_AS(ConfigError, image_size >= 0 && image_size <= kLargestImageSide, "image_size is ", image_size,
              ", expected 0 (as it is) to ", kLargestImageSide);
  const auto get = [pictures, image_size, fast_decode](std::int64_t index) {
    return decode_to_side(pictures->name(index), pictures->read(index), image_size, fast_decode);
  };
  return std::make_shared<PictureDataset>(std::move(pictures), image_size, get, std::move(description));
}

std::shared_ptr<const Dataset> make_cached(std::shared_ptr<const EncodedPictures> pictures,
                                           const CacheOptions& options, std::string description) {
  const auto cache = std::make_shared<const DecodedCache>(*pictures, options);
  const auto get = [cache](std::int64_t index) { return cache->get(index); };
  return std::make_shared<PictureDataset>(std::move(pictures), options.side, get, std::move(description));
}

}  // namespace noisymix

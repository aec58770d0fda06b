#include "data/decoded_pictures.h"

#include <functional>
#include <utility>

#include "data/image_codec.h"
#include "data/image_resize.h"
#include "engine/error.h"

namespace noisymix {
namespace {

/// A picture by index, RGB, with the shorter side wanted.
using GetPicture = std::function<Image(std::int64_t)>;

class DecodedPictures final : public Dataset {
 public:
  DecodedPictures(std::shared_ptr<const EncodedPictures> pictures, PictureSizes sizes, int side,
                  GetPicture get, std::string description)
      : pictures_(std::move(pictures)),
        square_(sizes == PictureSizes::square ? side : 0),
        get_(std::move(get)),
        description_(std::move(description)) {
    NM_CHECK_AS(DataError, pictures_->size() > 0, description_, ": holds no pictures");
    NM_CHECK_AS(ConfigError, side >= 0 && side <= kLargestImageSide, "image_size is ", side,
                ", expected 0 (as it is) to ", kLargestImageSide);
    NM_CHECK(sizes != PictureSizes::square || side > 0, "[dataset] squares need a side");
    if (sizes == PictureSizes::any) return;
    const Image first = picture(0);
    shape_ = {first.height, first.width, 3};
  }

  std::int64_t size() const override { return pictures_->size(); }
  std::int64_t label(std::int64_t index) const override { return pictures_->label(index); }
  Example get(std::int64_t index) const override {
    NM_CHECK(index >= 0 && index < size(), "[dataset] example ", index, " of ", size(), " does not exist");
    Example example;
    example.image = picture(index);
    example.label = pictures_->label(index);
    NM_CHECK_AS(DataError,
                shape_[0] == 0 || (example.image.height == shape_[0] && example.image.width == shape_[1]),
                pictures_->name(index), ": is ", example.image.height, "x", example.image.width, " but ",
                pictures_->name(0), " is ", shape_[0], "x", shape_[1],
                ", set image_size, or data.resize and data.crop, to bring all pictures to one size");
    return example;
  }
  std::vector<std::string> class_names() const override { return pictures_->class_names(); }
  std::vector<std::int64_t> sample_shape() const override { return shape_; }
  std::string description() const override { return description_; }

 private:
  Image picture(std::int64_t index) const {
    Image image = get_(index);
    return square_ > 0 ? centre_crop(image, square_, square_) : image;
  }

  std::shared_ptr<const EncodedPictures> pictures_;
  int square_;  // side of the middle square to cut; 0 for none
  GetPicture get_;
  std::string description_;
  std::vector<std::int64_t> shape_{0, 0, 3};
};

}  // namespace

std::shared_ptr<const Dataset> make_decoded_dataset(std::shared_ptr<const EncodedPictures> pictures,
                                                    const DecodeOptions& options, std::string description) {
  NM_CHECK(pictures != nullptr, "[dataset] expects pictures");
  const auto get = [pictures, options](std::int64_t index) {
    return decode_to_side(pictures->name(index), pictures->read(index), options.side, options.fast_decode);
  };
  return std::make_shared<DecodedPictures>(std::move(pictures), options.sizes, options.side, get,
                                           std::move(description));
}

std::shared_ptr<const Dataset> make_cached(std::shared_ptr<const EncodedPictures> pictures,
                                           PictureSizes sizes, const CacheOptions& options,
                                           std::string description) {
  const auto cache = std::make_shared<const DecodedCache>(*pictures, options);
  const auto get = [cache](std::int64_t index) { return cache->get(index); };
  return std::make_shared<DecodedPictures>(std::move(pictures), sizes, options.side, get,
                                           std::move(description));
}

}  // namespace noisymix

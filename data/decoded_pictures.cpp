#include "data/decoded_pictures.h"

#include <utility>

#include "data/image_codec.h"
#include "engine/error.h"

namespace noisymix {
namespace {

class DecodedPictures final : public Dataset {
 public:
  DecodedPictures(std::shared_ptr<const EncodedPictures> pictures, PictureSizes sizes,
                  std::string description)
      : pictures_(std::move(pictures)), description_(std::move(description)) {
    NM_CHECK_AS(DataError, pictures_->size() > 0, description_, ": holds no pictures");
    if (sizes == PictureSizes::any) return;
    const Image first = decode(0);
    shape_ = {first.height, first.width, 3};
  }

  std::int64_t size() const override { return pictures_->size(); }
  std::int64_t label(std::int64_t index) const override { return pictures_->label(index); }
  Example get(std::int64_t index) const override {
    Example example;
    example.image = decode(index);
    example.label = pictures_->label(index);
    NM_CHECK_AS(DataError,
                shape_[0] == 0 || (example.image.height == shape_[0] && example.image.width == shape_[1]),
                pictures_->name(index), ": is ", example.image.height, "x", example.image.width, " but ",
                pictures_->name(0), " is ", shape_[0], "x", shape_[1],
                ", set data.resize and data.crop to bring all pictures to one size");
    return example;
  }
  std::vector<std::string> class_names() const override { return pictures_->class_names(); }
  std::vector<std::int64_t> sample_shape() const override { return shape_; }
  std::string description() const override { return description_; }

 private:
  Image decode(std::int64_t index) const {
    return to_rgb(decode_image(pictures_->name(index), pictures_->read(index)));
  }

  std::shared_ptr<const EncodedPictures> pictures_;
  std::string description_;
  std::vector<std::int64_t> shape_{0, 0, 3};
};

}  // namespace

std::shared_ptr<const Dataset> make_decoded_dataset(std::shared_ptr<const EncodedPictures> pictures,
                                                    PictureSizes sizes, std::string description) {
  NM_CHECK(pictures != nullptr, "[dataset] expects pictures");
  return std::make_shared<DecodedPictures>(std::move(pictures), sizes, std::move(description));
}

}  // namespace noisymix

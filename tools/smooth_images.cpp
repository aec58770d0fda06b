#include "tools/smooth_images.h"

#include <algorithm>

#include "engine/key.h"

namespace noisymix {
namespace {

constexpr int kBlock = 4;
constexpr std::int64_t kDistinct = 1000;

class SmoothImages final : public Dataset {
 public:
  SmoothImages(std::int64_t count, int side) : size_(count), side_(side) {
    for (std::int64_t i = 0; i < std::min(count, kDistinct); ++i)
      images_.push_back(make(Key(0).child("smooth").child(i)));
  }
  std::int64_t size() const override { return size_; }
  Example get(std::int64_t index) const override {
    return {images_[static_cast<std::size_t>(index % kDistinct)], {}, 0};
  }
  std::vector<std::string> class_names() const override { return {"any"}; }
  std::vector<std::int64_t> sample_shape() const override { return {side_, side_, 3}; }
  std::string description() const override { return "smooth random images"; }

 private:
  Image make(Key key) const {
    const int corners = side_ / kBlock + 2;
    Image image(side_, side_, 3);
    for (int y = 0; y < side_; ++y) {
      for (int x = 0; x < side_; ++x) {
        for (int c = 0; c < 3; ++c) {
          const auto corner = [&](int dy, int dx) {
            const int at = ((y / kBlock + dy) * corners + x / kBlock + dx) * 3 + c;
            return 255 * key.uniform(static_cast<std::uint64_t>(at));
          };
          const double fx = (x % kBlock) / double{kBlock}, fy = (y % kBlock) / double{kBlock};
          const double top = corner(0, 0) * (1 - fx) + corner(0, 1) * fx;
          const double bottom = corner(1, 0) * (1 - fx) + corner(1, 1) * fx;
          image.row(y)[x * 3 + c] = static_cast<std::uint8_t>(top * (1 - fy) + bottom * fy);
        }
      }
    }
    return image;
  }
  std::int64_t size_;
  int side_;
  std::vector<Image> images_;
};

}  // namespace

std::shared_ptr<const Dataset> make_smooth_images(std::int64_t count, int side) {
  return std::make_shared<SmoothImages>(count, side);
}

}  // namespace noisymix

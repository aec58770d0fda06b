#include "data/image_resize.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "augment/filters/bilinear_resize.h"
#include "engine/error.h"

namespace noisymix {

Image resize_image(const Image& image, int height, int width) {
  if (height == image.height && width == image.width && height >= 1 && width >= 1) return image;
  thread_local Scratch scratch;
  Image result;
  bilinear_resize(image, {0, 0, image.height, image.width}, height, width, scratch, result);
  return result;
}

Image resize_shorter_side(const Image& image, int side) {
  NM_CHECK(side >= 1 && image.height >= 1 && image.width >= 1, "[resize] side is ", side,
           ", expected 1 or more");
  const int shorter = std::min(image.height, image.width), longer = std::max(image.height, image.width);
  const auto other = static_cast<int>(std::int64_t{side} * longer / shorter);
  return image.height <= image.width ? resize_image(image, side, other) : resize_image(image, other, side);
}

Image centre_crop(const Image& image, int height, int width) {
  NM_CHECK(height >= 1 && width >= 1 && height <= image.height && width <= image.width, "[crop] ", height,
           "x", width, " from an image of ", image.height, "x", image.width, ", expected a part of it");
  if (height == image.height && width == image.width) return image;
  Image result(height, width, image.channels);
  const auto top = static_cast<int>(std::nearbyint((image.height - height) / 2.0));
  const auto left = static_cast<int>(std::nearbyint((image.width - width) / 2.0));
  for (int y = 0; y < height; ++y)
    std::copy_n(image.row(top + y) + static_cast<std::size_t>(left * image.channels), result.stride(),
                result.row(y));
  return result;
}

Image resize_and_crop(const Image& image, int side) {
  return centre_crop(resize_shorter_side(image, side), side, side);
}

}  // namespace noisymix

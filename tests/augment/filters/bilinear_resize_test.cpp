// Bilinear resizing against Pillow's bytes and against the definition.
#include "augment/filters/bilinear_resize.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/io/safetensors.h"
#include "tests/augment/images.h"
#include "tests/augment/resampled.h"
#include "tests/golden.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

Image whole_image(const Tensor& tensor) {
  return image_of(tensor.reshape({1, tensor.dim(0), tensor.dim(1), tensor.dim(2)}), 0);
}

}  // namespace

TEST_CASE("bilinear resize: photographs as Pillow resizes them, byte for byte") {
  const auto path = golden_path("augment_ops/large.safetensors");
  if (!path) return report_skipped("augment_ops/large.safetensors is not here");
  const Safetensors file = read_safetensors(*path);
  Scratch scratch;
  Image out;
  for (const std::string photograph : {"astronaut", "chelsea"}) {
    const Image image = whole_image(file.at(photograph));
    for (const std::string result :
         {"bilinear_32x32", "bilinear_64x96", "bilinear_150x333", "bilinear_224x224", "resized_crop"}) {
      CAPTURE(photograph);
      CAPTURE(result);
      const Image want = whole_image(file.at(photograph + "_" + result));
      PixelBox box{0, 0, image.height, image.width};
      if (result == "resized_crop") box = {20, 31, 150, 170};
      bilinear_resize(image, box, want.height, want.width, scratch, out);
      CHECK(out == want);
    }
  }
}

TEST_CASE("bilinear resize: within one level of the definition, for every pair of sizes") {
  Scratch scratch;
  Image out;
  for (const int channels : {1, 3}) {
    const Image image = random_image(23, 31, channels, Key(4));
    for (const PixelBox& box : {PixelBox{0, 0, 23, 31}, PixelBox{3, 5, 11, 9}, PixelBox{22, 30, 1, 1}}) {
      for (const auto& size : {std::pair{7, 40}, {23, 9}, {1, 1}, {11, 31}, {50, 3}, {70, 64}}) {
        bilinear_resize(image, box, size.first, size.second, scratch, out);
        const auto want = resampled(image, box, size.first, size.second);
        REQUIRE(out.pixels.size() == want.size());
        double worst = 0;
        for (std::size_t i = 0; i < want.size(); ++i)
          worst = std::max(worst, std::abs(out.pixels[i] - want[i]));
        CHECK(worst <= 1.001);  // two roundings to the nearest byte
      }
    }
  }
}

TEST_CASE("bilinear resize: white stays white however many pixels it is the mean of") {
  Image image(2, 16384, 1), out;
  std::fill(image.pixels.begin(), image.pixels.end(), std::uint8_t{255});
  Scratch scratch;
  bilinear_resize(image, {0, 0, 2, 16384}, 1, 3, scratch, out);
  CHECK(out.pixels == std::vector<std::uint8_t>{255, 255, 255});
}

TEST_CASE("bilinear resize: refusals") {
  const Image image = random_image(5, 6, 3, Key(1));
  Scratch scratch;
  Image out;
  CHECK_THROWS_AS(bilinear_resize(image, {0, 0, 5, 6}, 0, 3, scratch, out), ShapeError);
  CHECK_THROWS_AS(bilinear_resize(image, {0, 0, 5, 6}, 3, 20000, scratch, out), ShapeError);
  CHECK_THROWS_WITH_AS(bilinear_resize(image, {1, 0, 5, 6}, 3, 3, scratch, out),
                       "[resize] box of 5x6 at 1, 0 does not lie in an image of 5x6", ShapeError);
  CHECK_THROWS_AS(bilinear_resize(image, {0, -1, 2, 2}, 3, 3, scratch, out), ShapeError);
  CHECK_THROWS_AS(bilinear_resize(image, {0, 0, 0, 2}, 3, 3, scratch, out), ShapeError);
  CHECK_THROWS_AS(bilinear_resize(Image(4, 4, 2), {0, 0, 4, 4}, 3, 3, scratch, out), ShapeError);
}

// The test transform: shorter side, centre crop, and as a data set.
#include "data/image_transform.h"

#include <doctest/doctest.h>

#include "data/image_resize.h"
#include "data/memory_dataset.h"
#include "data/toy.h"
#include "engine/io/safetensors.h"
#include "tests/augment/images.h"
#include "tests/data/expect_data_error.h"
#include "tests/golden.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

Image whole_image(const Tensor& tensor) {
  return image_of(tensor.reshape({1, tensor.dim(0), tensor.dim(1), tensor.dim(2)}), 0);
}

/// Pictures whose every pixel tells row and column.
std::shared_ptr<const Dataset> grids(int height, int width) {
  MemoryImages content{.height = height, .width = width, .channels = 3};
  for (int i = 0; i < 3; ++i) {
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x)
        for (const int value : {y, x, i}) content.pixels.push_back(static_cast<std::uint8_t>(value));
    content.labels.push_back(i);
  }
  content.class_names = {"a", "b", "c"};
  content.description = "grids";
  return make_memory_dataset(std::move(content));
}

}  // namespace

TEST_CASE("test transform: photographs as torchvision and Pillow make them, byte for byte") {
  const auto path = golden_path("augment_ops/large.safetensors");
  if (!path) return report_skipped("augment_ops/large.safetensors is not here");
  const Safetensors file = read_safetensors(*path);
  for (const std::string photograph : {"astronaut", "chelsea"})
    for (const int resize : {256, 232}) {
      CAPTURE(photograph);
      const Image want = whole_image(file.at(photograph + "_resize" + std::to_string(resize) + "_crop224"));
      CHECK(transformed(whole_image(file.at(photograph)), {resize, 224}, "") == want);
    }
}

TEST_CASE("test transform: the other side drops its fraction, odd margins split half to even") {
  const Image image = resize_shorter_side(random_image(10, 13, 3, Key(1)), 7);
  CHECK(image.height == 7);
  CHECK(image.width == 9);                                                    // 9.1
  CHECK(resize_shorter_side(random_image(10, 6, 1, Key(1)), 4).height == 6);  // 6.67
  const auto corner = [](int size, int crop) {
    const auto set = make_transformed(grids(size, size + 2), {0, crop});
    const Image cropped = set->get(1).image;
    return std::pair<int, int>{cropped.pixels[0], cropped.pixels[1]};
  };
  CHECK(corner(7, 4) == std::pair{2, 2});  // margins 3 and 5: 1.5 and 2.5
  CHECK(corner(5, 4) == std::pair{0, 2});  // margins 1 and 3: 0.5 and 1.5
}

TEST_CASE("test transform: as a data set") {
  const auto set = make_transformed(grids(8, 12), {16, 10});
  CHECK(set->size() == 3);
  CHECK(set->sample_shape() == std::vector<std::int64_t>{10, 10, 3});
  CHECK(set->transform() == ImageTransform{16, 10});
  CHECK(set->description() == "grids, resized to 16, centre crop 10");
  CHECK(set->class_names().size() == 3);
  for (std::int64_t i = 0; i < 3; ++i) {
    CHECK(set->label(i) == i);
    CHECK(set->get(i).image == centre_crop(resize_image(grids(8, 12)->get(i).image, 16, 24), 10, 10));
  }
  const auto subset = make_subset(set, 2);
  CHECK(subset->transform() == ImageTransform{16, 10});
  CHECK(subset->label(1) == 1);
  CHECK(make_transformed(grids(8, 12), {4, 0})->sample_shape() == std::vector<std::int64_t>{4, 6, 3});
  CHECK(make_transformed(grids(8, 12), {4, 0})->get(0).image.width == 6);
  const auto plain = grids(8, 8);
  CHECK(make_transformed(plain, {}) == plain);
  CHECK(make_transformed(plain, {0, 8}) == plain);
  CHECK(make_transformed(plain, {8, 8})->get(2).image == plain->get(2).image);
}

TEST_CASE("test transform: refusals") {
  CHECK_THROWS_WITH_AS(
      make_transformed(grids(8, 12), {0, 10}),
      "grids: a crop of 10 does not fit pictures whose shorter side is 8; choose a larger resize",
      ConfigError);
  CHECK_THROWS_AS(make_transformed(grids(8, 12), {-1, 4}), ConfigError);
  CHECK_THROWS_AS(make_transformed(grids(8, 12), {5000, 4}), ConfigError);
  CHECK_THROWS_AS(make_transformed(make_circles(1, true), {8, 8}), ConfigError);
  expect_data_error("cat.jpg", "smaller than the crop of 9", [] {
    transformed(Image(8, 20, 3), {0, 9}, "cat.jpg");
  });
  expect_data_error("line.png", "too narrow", [] { transformed(Image(1, 600, 3), {256, 224}, "line.png"); });
}

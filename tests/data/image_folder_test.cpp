// Pictures in class folders: both layouts, resizing, and refusals.
#include "data/image_folder.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "data/image_codec.h"
#include "data/image_resize.h"
#include "data/registry.h"
#include "tests/data/expect_data_error.h"
#include "tests/scratch_folder.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

Image filled(int height, int width, std::uint8_t value, int channels = 3) {
  Image image(height, width, channels);
  std::fill(image.pixels.begin(), image.pixels.end(), value);
  return image;
}

void write_image(const ScratchFolder& folder, const std::string& name, const Image& image) {
  folder.write(name, encode_png(image));
}

DatasetOptions options(const ScratchFolder& folder, bool train, int image_size = 0) {
  DatasetOptions result;
  result.name = "folder";
  result.path = folder.path();
  result.train = train;
  result.image_size = image_size;
  return result;
}

}  // namespace

TEST_CASE("image folder: train and test folders, classes in alphabetical order, grey becomes RGB") {
  ScratchFolder folder;
  write_image(folder, "train/dog/1.png", filled(4, 4, 10));
  write_image(folder, "train/cat/2.PNG", filled(4, 4, 20, 1));
  write_image(folder, "train/cat/3.png", filled(4, 4, 30));
  folder.write("train/cat/notes.txt", std::string("not a picture"));
  folder.write("train/cat/.hidden.png", std::string("nor this"));
  write_image(folder, "val/dog/4.png", filled(4, 4, 40));
  const auto train = open_dataset(options(folder, true)), test = open_dataset(options(folder, false));
  CHECK(train->class_names() == std::vector<std::string>{"cat", "dog"});
  REQUIRE(train->size() == 3);
  for (std::int64_t i = 0; i < 3; ++i) {
    const Example e = train->get(i);
    CHECK(e.image.channels == 3);
    CHECK(e.label == (e.image.pixels[0] == 10 ? 1 : 0));
  }
  REQUIRE(test->size() == 1);
  CHECK(test->get(0).label == 1);
}

TEST_CASE("image folder: without split folders every fifth picture of a class is for testing") {
  ScratchFolder folder;
  for (const char* name : {"a", "b"})
    for (int i = 0; i < 10; ++i)
      write_image(folder, std::string(name) + "/" + std::to_string(i) + ".png",
                  filled(2, 2, static_cast<std::uint8_t>(i)));
  const FolderListing train = list_image_folder(folder.path(), true),
                      test = list_image_folder(folder.path(), false);
  CHECK(train.files.size() == 16);
  CHECK(test.files.size() == 4);
  for (const auto& file : test.files) {
    CHECK(std::find(train.files.begin(), train.files.end(), file) == train.files.end());
    CHECK((file.stem() == "4" || file.stem() == "9"));
  }
  CHECK(list_image_folder(folder.path(), true).files == train.files);
  DatasetOptions few = options(folder, true);
  few.limit = 3;
  CHECK(open_dataset(few)->size() == 3);
}

TEST_CASE("image folder: sizes must agree or are made equal") {
  ScratchFolder folder;
  for (int i = 0; i < 5; ++i) write_image(folder, "a/" + std::to_string(i) + ".png", filled(8, 6 + i, 50));
  expect_data_error(".png", "set image_size", [&] { open_dataset(options(folder, true)); });
  const auto dataset = open_dataset(options(folder, true, 4));
  CHECK(dataset->sample_shape() == std::vector<std::int64_t>{4, 4, 3});
  CHECK(dataset->get(0).image == filled(4, 4, 50));
}

TEST_CASE("image folder: bad input") {
  ScratchFolder folder;
  expect_data_error("folder", "needs a path", [] { list_image_folder("", true); });
  expect_data_error("nowhere", "no such folder", [&] { list_image_folder(folder / "nowhere", true); });
  expect_data_error(folder.path().string(), "no PNG or JPEG files",
                    [&] { list_image_folder(folder.path(), true); });
  write_image(folder, "train/a/1.png", filled(2, 2, 1));
  expect_data_error(folder.path().string(), "has train/ but not test/",
                    [&] { list_image_folder(folder.path(), true); });
  write_image(folder, "test/b/1.png", filled(2, 2, 1));
  expect_data_error("b", "class is missing", [&] { list_image_folder(folder.path(), true); });
  std::filesystem::remove_all(folder / "test/b");
  folder.write("test/a/broken.jpg", std::string("\xFF\xD8\xFF and then nothing"));
  expect_data_error("broken.jpg", "JPEG", [&] { open_dataset(options(folder, false)); });
}

TEST_CASE("resize: constant images stay constant, halving averages, sizes are exact") {
  CHECK(resize_image(filled(7, 5, 99), 13, 3) == filled(13, 3, 99));
  Image step(1, 4, 1);
  step.pixels = {0, 0, 200, 200};
  const Image half = resize_image(step, 1, 2);
  // Triangle of reach 2 source pixels: weights 3/8, 3/8, 1/8 of positions 0 to 2, renormalised to 7/8.
  CHECK(half.pixels[0] == 29);
  CHECK(half.pixels[1] == 171);
  const Image doubled = resize_image(step, 1, 8);
  CHECK(doubled.pixels == std::vector<std::uint8_t>{0, 0, 0, 50, 150, 200, 200, 200});
  const Image cropped = resize_and_crop(step, 1);
  CHECK(cropped.height == 1);
  CHECK(cropped.width == 1);
  CHECK_THROWS_AS(resize_image(step, 0, 3), ShapeError);
}

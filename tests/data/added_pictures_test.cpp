// Partner and extra pictures: how they are found, drawn and refused.
#include "data/added_pictures.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "data/device_batches.h"
#include "data/image_codec.h"
#include "data/loader.h"
#include "data/memory_dataset.h"
#include "data/registry.h"
#include "tests/data/expect_data_error.h"
#include "tests/scratch_folder.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

Image filled(std::uint8_t value, int side = 4) {
  Image image(side, side, 3);
  std::fill(image.pixels.begin(), image.pixels.end(), value);
  return image;
}

void write_image(const ScratchFolder& folder, const std::string& name, std::uint8_t value, int side = 4) {
  folder.write(name, encode_png(filled(value, side)));
}

/// Pictures 0..count-1 of value `first` + i, labels i % 2.
std::shared_ptr<const Dataset> numbers(int count, int first, int labels = 2) {
  MemoryImages content{.height = 2, .width = 2, .channels = 1};
  for (int i = 0; i < count; ++i) {
    content.pixels.insert(content.pixels.end(), 4, static_cast<std::uint8_t>(first + i));
    content.labels.push_back(i % labels);
  }
  content.class_names = {"even", "odd"};
  content.description = "numbers from " + std::to_string(first);
  return make_memory_dataset(std::move(content));
}

DatasetOptions folder_options(const ScratchFolder& folder, bool train = true) {
  DatasetOptions options;
  options.name = "folder";
  options.path = folder / "own";
  options.train = train;
  return options;
}

/// own/ with train and test, 12 pictures of values 10.. in two classes.
void write_own(const ScratchFolder& folder) {
  for (int i = 0; i < 12; ++i)
    write_image(folder, "own/train/" + std::string(i % 2 ? "dog/" : "cat/") + std::to_string(i) + ".png",
                static_cast<std::uint8_t>(10 + i));
  write_image(folder, "own/test/dog/1.png", 1);
}

}  // namespace

TEST_CASE("paired: each example is drawn with its share, from the key alone") {
  const auto paired = make_paired(numbers(10, 0), numbers(10, 100), 0.3);
  CHECK(paired->size() == 10);
  CHECK(paired->varies());
  CHECK_FALSE(make_paired(numbers(10, 0), numbers(10, 100), 0)->varies());
  int partners = 0;
  for (int k = 0; k < 4000; ++k) {
    const std::int64_t i = k % 10;
    const Example example = paired->draw(i, Key(static_cast<std::uint64_t>(k)));
    const bool partner = example.image.pixels[0] >= 100;
    CHECK(example.image.pixels[0] == i + (partner ? 100 : 0));
    CHECK(example.label == i % 2);
    CHECK(partner == (Key(static_cast<std::uint64_t>(k)).child("pair").uniform(0) < 0.3));
    partners += partner;
  }
  CHECK(std::abs(partners - 1200) < 150);
  CHECK(paired->get(3).image.pixels[0] == 3);
  const auto subset = make_subset(paired, 2);
  CHECK(subset->varies());
  CHECK(make_paired(numbers(4, 0), numbers(4, 100), 1)->draw(2, Key(1)).image.pixels[0] == 102);
  CHECK(make_subset(make_paired(numbers(4, 0), numbers(4, 100), 1), 3)->draw(2, Key(1)).image.pixels[0] ==
        102);
}

TEST_CASE("paired: the loader draws per epoch and example, the same for any number of workers") {
  const std::shared_ptr<const Dataset> paired = make_paired(numbers(40, 0), numbers(40, 100), 0.5);
  const std::shared_ptr<const Views> views = make_plain_views({{0, 0, 0}, {1, 1, 1}});
  CHECK_FALSE(DeviceBatches::can_hold(*paired, *views));
  CHECK(DeviceBatches::can_hold(*numbers(4, 0), *views));
  std::map<int, std::vector<int>> seen;  // by the number of workers
  for (const int workers : {0, 3}) {
    DataLoader loader(paired, views, {.batch = 16, .workers = workers}, Key(9));
    for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
      loader.start_epoch(epoch);
      Batch batch;
      while (loader.next(batch))
        for (std::int64_t i = 0; i < batch.size(); ++i)
          seen[workers].push_back(static_cast<int>(std::lround(255 * batch.images.data<float>()[i * 4])));
    }
  }
  CHECK(seen[0] == seen[3]);
  const auto stylized = std::count_if(seen[0].begin(), seen[0].end(), [](int value) { return value >= 100; });
  CHECK(stylized > 35);
  CHECK(stylized < 85);
}

TEST_CASE("paired: folders match by name, whatever the type of a picture") {
  ScratchFolder folder;
  write_own(folder);
  for (int i = 0; i < 12; ++i)
    write_image(
        folder,
        "styled/" + std::string(i % 2 ? "dog/" : "cat/") + std::to_string(i) + (i == 3 ? ".jpg" : ".png"),
        static_cast<std::uint8_t>(110 + i));
  DatasetOptions options = folder_options(folder);
  options.paired = folder / "styled";
  options.paired_share = 1;
  for (const std::int64_t limit : {0, 5}) {
    options.limit = limit;
    const auto paired = open_dataset(options);
    CHECK(paired->size() == (limit == 0 ? 12 : 5));
    for (std::int64_t i = 0; i < paired->size(); ++i)
      CHECK(paired->draw(i, Key(1)).image.pixels[0] == paired->get(i).image.pixels[0] + 100);
  }
  options.train = false;
  CHECK_FALSE(open_dataset(options)->varies());
  options.train = true;
  options.limit = 0;
  std::filesystem::remove(folder / "styled/cat/4.png");
  std::filesystem::remove(folder / "styled/dog/5.png");
  expect_data_error("lacks 2 of 12 partner pictures, the first is ", ".png", [&] { open_dataset(options); });
  options.paired = folder / "nowhere";
  expect_data_error("nowhere", "no such folder", [&] { open_dataset(options); });
}

TEST_CASE("paired: other sets match by position") {
  CHECK_NOTHROW(check_same_labels(*numbers(6, 0), *numbers(6, 9)));
  expect_data_error("numbers from 9: picture 1 has label 0, but numbers from 0 has 1", "",
                    [] { check_same_labels(*numbers(6, 0), *numbers(6, 9, 1)); });
  expect_data_error("numbers from 9: has 5 pictures, but numbers from 0 has 6", "",
                    [] { make_paired(numbers(6, 0), numbers(5, 9), 0.5); });
  CHECK_THROWS_AS(make_paired(numbers(6, 0), numbers(6, 9), 1.5), ConfigError);
  ScratchFolder folder;
  write_own(folder);
  expect_data_error("set image_size", "4x4x3",
                    [&] { make_paired(numbers(12, 0), open_dataset(folder_options(folder)), 1); });
  DatasetOptions points;
  points.name = "circles";
  expect_data_error("holds points", "", [&] { make_joined(open_dataset(points), numbers(2, 0)); });
}

TEST_CASE("extra: pictures are added behind the set's own, with its class numbers") {
  ScratchFolder folder;
  write_own(folder);
  write_image(folder, "more/train/dog/a.png", 201);
  write_image(folder, "more/train/dog/b.png", 202);
  DatasetOptions options = folder_options(folder);
  options.extra = folder / "more";
  const auto joined = open_dataset(options);
  REQUIRE(joined->size() == 14);
  CHECK(joined->class_names() == std::vector<std::string>{"cat", "dog"});
  CHECK(joined->get(11).image.pixels[0] < 100);
  for (std::int64_t i = 12; i < 14; ++i) {
    CHECK(joined->get(i).image.pixels[0] > 200);
    CHECK(joined->draw(i, Key(1)).image.pixels[0] > 200);
    CHECK(joined->get(i).label == 1);
  }
  CHECK_FALSE(joined->varies());
  options.train = false;
  CHECK(open_dataset(options)->size() == 1);
  options.train = true;
  options.paired = folder / "own";
  CHECK(open_dataset(options)->varies());
  write_image(folder, "more/train/fox/c.png", 203);
  expect_data_error("more", "has the class fox, which the training set does not have",
                    [&] { open_dataset(options); });
  std::filesystem::remove_all(folder / "more/train/fox");
  write_image(folder, "more/train/dog/a.png", 201, 6);
  write_image(folder, "more/train/dog/b.png", 201, 6);
  expect_data_error("6x6x3", "set image_size", [&] { open_dataset(options); });
}

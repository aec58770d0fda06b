// Pictures decoded when needed: labels, sizes, damage, and batches that no number of workers changes.
#include "data/decoded_pictures.h"

#include <doctest/doctest.h>

#include <cstring>

#include "augment/filters/jpeg_file.h"
#include "augment/resized_crop.h"
#include "data/device_batches.h"
#include "data/image_codec.h"
#include "data/loader.h"
#include "tests/augment/images.h"
#include "tests/data/expect_data_error.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

class MemoryPictures final : public EncodedPictures {
 public:
  explicit MemoryPictures(std::vector<Bytes> files) : files_(std::move(files)) {}
  std::int64_t size() const override { return static_cast<std::int64_t>(files_.size()); }
  Bytes read(std::int64_t index) const override { return files_[static_cast<std::size_t>(index)]; }
  std::string name(std::int64_t index) const override { return "picture " + std::to_string(index); }
  std::int64_t label(std::int64_t index) const override { return index % 3; }
  std::vector<std::string> class_names() const override { return {"a", "b", "c"}; }

 private:
  std::vector<Bytes> files_;
};

/// JPEG and PNG, grey and RGB, of many sizes.
std::shared_ptr<const Dataset> mixed_pictures(int count) {
  std::vector<Bytes> files;
  Scratch scratch;
  for (int i = 0; i < count; ++i) {
    const Image image =
        smooth_image(20 + i % 17, 24 + i % 11, i % 5 == 0 ? 1 : 3, Key(static_cast<std::uint64_t>(i)));
    files.push_back(i % 2 == 0 ? jpeg_file(image, 90, scratch) : encode_png(image));
  }
  return make_decoded_dataset(std::make_shared<MemoryPictures>(std::move(files)),
                              {.sizes = PictureSizes::any}, "mixed");
}

}  // namespace

TEST_CASE("decoded pictures: RGB of any size with their labels") {
  const auto data = mixed_pictures(12);
  CHECK(data->size() == 12);
  CHECK(data->sample_shape() == std::vector<std::int64_t>{0, 0, 3});
  CHECK(data->classes() == 3);
  for (std::int64_t i = 0; i < 12; ++i) {
    const Example example = data->get(i);
    CHECK(example.label == i % 3);
    CHECK(data->label(i) == i % 3);
    CHECK(example.image.height == 20 + i % 17);
    CHECK(example.image.channels == 3);
  }
  CHECK(data->get(3).image == smooth_image(23, 27, 3, Key(3)));
  CHECK(data->get(5).image == to_rgb(smooth_image(25, 29, 1, Key(5))));
}

TEST_CASE("decoded pictures: sets of one size refuse others, damage names the picture") {
  const Bytes first = encode_png(Image(4, 5, 3)), other = encode_png(Image(5, 5, 3));
  const auto pictures = std::make_shared<MemoryPictures>(std::vector<Bytes>{first, other, {1, 2, 3}});
  const auto equal = make_decoded_dataset(pictures, {}, "equal");
  CHECK(equal->sample_shape() == std::vector<std::int64_t>{4, 5, 3});
  CHECK(equal->get(0).image.width == 5);
  expect_data_error("picture 1", "is 5x5 but picture 0 is 4x5", [&] { equal->get(1); });
  expect_data_error("picture 2", "neither PNG nor JPEG", [&] { equal->get(2); });
  expect_data_error("nothing", "holds no pictures", [] {
    make_decoded_dataset(std::make_shared<MemoryPictures>(std::vector<Bytes>{}), {}, "nothing");
  });
}

TEST_CASE("decoded pictures: resized crops are equal bit by bit for any number of workers") {
  const auto data = mixed_pictures(40);
  const std::shared_ptr<const Views> views = make_resized_crop_views(
      {.side = 12}, make_augmix_views({.padding = 0, .flip = false}, AugMixOptions{}, true, 1, {}));
  CHECK_FALSE(DeviceBatches::can_hold(*data, *views));
  LoaderOptions options{.batch = 9, .workers = 0};
  DataLoader reference(data, views, options, Key(3));
  for (const int workers : {1, 2, 5}) {
    options.workers = workers;
    DataLoader loader(data, views, options, Key(3));
    for (const std::int64_t epoch : {0, 1}) {
      reference.start_epoch(epoch);
      loader.start_epoch(epoch);
      for (Batch want, got; reference.next(want);) {
        REQUIRE(loader.next(got));
        CHECK(got.images.shape() == Shape({2 * want.size(), 12, 12, 3}));
        CHECK(got.labels.to_vector<std::int64_t>() == want.labels.to_vector<std::int64_t>());
        CHECK(std::memcmp(got.images.raw(), want.images.raw(), want.images.bytes()) == 0);
      }
    }
  }
}

TEST_CASE("decoded pictures: views of the stored size need pictures of one size") {
  const auto data = mixed_pictures(4);
  const std::shared_ptr<const Views> views = make_plain_views({});
  CHECK_FALSE(DeviceBatches::can_hold(*data, *views));
  CHECK_THROWS_WITH_AS(DataLoader(data, views, {}, Key(1)),
                       "[loader] mixed: the pictures differ in size; set data.resize and data.crop",
                       ConfigError);
}

// The cache of decoded pictures: equal to decoding, and never read when it is cut short, damaged or of other
// files.
#include "data/decoded_cache.h"

#include <doctest/doctest.h>

#include <fstream>

#include "data/decoded_pictures.h"
#include "data/image_codec.h"
#include "data/image_resize.h"
#include "tests/data/expect_data_error.h"
#include "tests/scratch_folder.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

/// Pictures of several sizes in memory; 150, so that a cache is filled in three parts.
class TestPictures : public EncodedPictures {
 public:
  explicit TestPictures(std::int64_t count = 150) {
    for (std::int64_t i = 0; i < count; ++i) {
      Image image(9 + static_cast<int>(i % 5), 12 - static_cast<int>(i % 7), 3);
      for (std::size_t p = 0; p < image.pixels.size(); ++p)
        image.pixels[p] = static_cast<std::uint8_t>(p * 13 + static_cast<std::size_t>(i) * 29);
      bytes_.push_back(encode_png(image));
    }
  }
  std::int64_t size() const override { return std::ssize(bytes_); }
  Bytes read(std::int64_t index) const override {
    NM_CHECK_AS(DataError, index != broken, name(index), ": broken");
    return bytes_[static_cast<std::size_t>(index)];
  }
  std::string name(std::int64_t index) const override { return "picture " + std::to_string(index); }
  std::int64_t label(std::int64_t index) const override { return index % 2; }
  std::vector<std::string> class_names() const override { return {"even", "odd"}; }
  std::uint64_t version(std::int64_t index) const override { return index == 3 ? changed : 0; }

  std::int64_t broken = -1;
  std::uint64_t changed = 0;

 private:
  std::vector<Bytes> bytes_;
};

void check_equal(const DecodedCache& cache, const TestPictures& pictures, int side) {
  REQUIRE(cache.size() == pictures.size());
  bool equal = true;
  for (std::int64_t i = 0; i < cache.size(); ++i) {
    const Image image = decode_image("x", pictures.read(i));
    equal = equal && cache.get(i) == (side > 0 ? resize_shorter_side(image, side) : image);
  }
  CHECK(equal);
}

void overwrite(const std::filesystem::path& file, std::uint64_t at, char value) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(static_cast<std::streamoff>(at));
  stream.put(value);
  REQUIRE(stream.good());
}

}  // namespace

TEST_CASE("cache: equal to decoding, and found the next time") {
  const ScratchFolder folder;
  const TestPictures pictures;
  for (const int side : {0, 6, 20}) {
    CAPTURE(side);
    const CacheOptions options{.file = folder / ("sub/" + std::to_string(side)), .side = side};
    const DecodedCache made(pictures, options);
    CHECK(made.decoded() == 150);
    check_equal(made, pictures, side);
    const DecodedCache found(pictures, options);
    CHECK(found.decoded() == 0);
    check_equal(found, pictures, side);
    CHECK_FALSE(std::filesystem::exists(options.file.string() + ".partial"));
    CHECK_THROWS_AS(found.get(150), ShapeError);
  }
}

TEST_CASE("cache: other files, sizes or ways to decode are made again") {
  const ScratchFolder folder;
  TestPictures pictures(20);
  CacheOptions options{.file = folder / "c", .side = 5};
  CHECK(DecodedCache(pictures, options).decoded() == 20);
  pictures.changed = 1;
  CHECK(DecodedCache(pictures, options).decoded() == 20);
  CHECK(DecodedCache(pictures, options).decoded() == 0);
  options.side = 6;
  CHECK(DecodedCache(pictures, options).decoded() == 20);
  options.fast_decode = true;
  CHECK(DecodedCache(pictures, options).decoded() == 20);
  const TestPictures fewer(19);
  CHECK(DecodedCache(fewer, options).decoded() == 19);
  check_equal(DecodedCache(fewer, options), fewer, 6);
}

TEST_CASE("cache: cut short or damaged files are never read") {
  const ScratchFolder folder;
  const TestPictures pictures(10);
  const CacheOptions options{.file = folder / "c"};
  CHECK(DecodedCache(pictures, options).decoded() == 10);
  const Bytes whole = read_file_bytes(options.file);
  for (std::size_t size = 0; size < whole.size(); size += 1 + whole.size() / 40) {
    CAPTURE(size);
    folder.write("c", ByteView(whole).first(size));
    const DecodedCache cache(pictures, options);
    CHECK(cache.decoded() == 10);
    check_equal(cache, pictures, 0);
    CHECK(read_file_bytes(options.file) == whole);  // made anew, the same bytes
  }
  Bytes longer = whole;
  longer.push_back(0);
  folder.write("c", longer);
  CHECK(DecodedCache(pictures, options).decoded() == 10);
  // One changed byte anywhere: header and table are refused at once, records and pixels when they are read.
  int at_once = 0, at_reading = 0;
  for (std::size_t at = 0; at < whole.size(); at += 1 + whole.size() / 300) {
    folder.write("c", whole);
    overwrite(options.file, at, static_cast<char>(whole[at] ^ 0x21));
    CAPTURE(at);
    const DecodedCache cache(pictures, options);
    if (cache.decoded() > 0) {
      ++at_once;
      continue;
    }
    int refused = 0;
    for (std::int64_t i = 0; i < cache.size(); ++i) {
      try {
        CHECK(cache.get(i) == decode_image("x", pictures.read(i)));
      } catch (const DataError&) {
        ++refused;
      }
    }
    CHECK(refused <= 1);
    at_reading += refused;
  }
  CHECK(at_once > 3);
  CHECK(at_reading > 200);
}

TEST_CASE("cache: filling continues where it was interrupted") {
  const ScratchFolder folder;
  TestPictures pictures;
  CacheOptions options{.file = folder / "c", .side = 7};
  int asked = 0;
  std::vector<std::int64_t> told;
  options.progress = [&](std::int64_t done, std::int64_t) { told.push_back(done); };
  options.should_stop = [&] { return ++asked > 1; };
  expect_data_error("stopped after 64 of 150", "continues", [&] { DecodedCache cache(pictures, options); });
  CHECK_FALSE(std::filesystem::exists(options.file));
  options.should_stop = {};
  pictures.broken = 140;
  expect_data_error("picture 140", "broken", [&] { DecodedCache cache(pictures, options); });
  CHECK(told == std::vector<std::int64_t>{64, 128});
  pictures.broken = -1;
  // A part of a record at the end, as a power cut leaves it, and a damaged one before.
  const auto partial = options.file.string() + ".partial";
  const auto size = std::filesystem::file_size(partial);
  std::filesystem::resize_file(partial, size - 5);
  CHECK(DecodedCache(pictures, options).decoded() == 150 - 127);
  check_equal(DecodedCache(pictures, options), pictures, 7);
}

TEST_CASE("cache: a partial file of other pictures, or not a cache at all, is begun anew") {
  const ScratchFolder folder;
  TestPictures pictures;
  CacheOptions options{.file = folder / "c"};
  int asked = 0;
  options.should_stop = [&] { return ++asked > 1; };
  CHECK_THROWS_AS(DecodedCache(pictures, options), DataError);
  options.should_stop = {};
  pictures.changed = 7;
  CHECK(DecodedCache(pictures, options).decoded() == 150);
  check_equal(DecodedCache(pictures, options), pictures, 0);
  folder.write("d.partial", std::string(5000, 'x'));
  CHECK(DecodedCache(pictures, {.file = folder / "d"}).decoded() == 150);
}

TEST_CASE("cache: as a data set, equal to the one that decodes") {
  const ScratchFolder folder;
  const auto pictures = std::make_shared<TestPictures>(30);
  const auto decoding = make_decoded_dataset(pictures, {PictureSizes::square, 6, false}, "decoding");
  const auto cached =
      make_cached(pictures, PictureSizes::square, {.file = folder / "c", .side = 6}, "cached");
  CHECK(cached->sample_shape() == std::vector<std::int64_t>{6, 6, 3});
  CHECK(cached->class_names() == decoding->class_names());
  for (std::int64_t i = 0; i < 30; ++i) {
    CHECK(cached->get(i).image == decoding->get(i).image);
    CHECK(cached->get(i).label == i % 2);
  }
  expect_data_error("picture", "set image_size", [&] { make_decoded_dataset(pictures, {}, "x")->get(1); });
  CHECK_THROWS_AS(DecodedCache(*pictures, {.file = folder / "e", .side = -1}), ConfigError);
  folder.write("file", std::string("no folder"));
  expect_data_error("file", "", [&] { DecodedCache cache(*pictures, {.file = folder / "file/c"}); });
}

TEST_CASE("decoding to a side refuses pictures that would become huge") {
  const Image thin(1, 9000, 3);
  expect_data_error("thin.png", "too long and narrow",
                    [&] { decode_to_side("thin.png", encode_png(thin), 1000, false); });
}

// Packed folders give the pictures, labels and order of the folders they were made from.
#include "data/pack_shards.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "data/image_codec.h"
#include "data/registry.h"
#include "data/tar.h"
#include "data/tar_shards.h"
#include "tests/data/expect_data_error.h"
#include "tests/scratch_folder.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

/// 30 pictures in three classes; the last has none in the test split.
void write_tree(const ScratchFolder& folder) {
  for (int i = 0; i < 30; ++i) {
    Image image(6, 6, 3);
    for (std::size_t p = 0; p < image.pixels.size(); ++p)
      image.pixels[p] = static_cast<std::uint8_t>(p * 31 + static_cast<std::size_t>(i) * 7);
    const char* classes[] = {"a", "b", "c"};
    const std::string split = i % 3 == 2 || i < 20 ? "train/" : "test/";
    folder.write(split + classes[i % 3] + "/" + std::to_string(i) + ".png", encode_png(image));
  }
}

std::vector<std::string> names_of(const EncodedPictures& pictures) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < pictures.size(); ++i) {
    const std::string name = pictures.name(i);
    names.push_back(name.substr(name.rfind(':') + 1));
  }
  return names;
}

}  // namespace

TEST_CASE("packing: the data set shards equals the data set folder, picture by picture") {
  const ScratchFolder folder, out;
  write_tree(folder);
  PackOptions options;
  options.shard_bytes = 20480;  // a few pictures each
  std::int64_t told = 0;
  options.progress = [&](std::int64_t done, std::int64_t total) {
    CHECK(total == 30);
    told = done;
  };
  const PackResult result = pack_shards(folder.path(), out.path(), options);
  CHECK(result.finished);
  CHECK(result.pictures == 30);
  CHECK(told == 30);
  CHECK(result.shards >= 3);
  for (const auto& shard : shards_in(out / "train")) CHECK(std::filesystem::file_size(shard) <= 20480);
  for (const bool train : {true, false}) {
    DatasetOptions data;
    data.train = train;
    data.name = "folder";
    data.path = folder.path();
    const auto expected = open_dataset(data);
    data.name = "shards";
    data.path = out.path();
    const auto packed = open_dataset(data);
    CHECK(packed->class_names() == expected->class_names());
    REQUIRE(packed->size() == expected->size());
    for (std::int64_t i = 0; i < packed->size(); ++i) {
      CHECK(packed->get(i).image == expected->get(i).image);
      CHECK(packed->get(i).label == expected->get(i).label);
    }
  }
  expect_data_error("train", "holds archives already",
                    [&] { pack_shards(folder.path(), out.path(), options); });
}

TEST_CASE("packing: sorted, shuffled by a seed, the same bytes again") {
  const ScratchFolder folder, first, again, sorted, other;
  write_tree(folder);
  PackOptions options;
  pack_shards(folder.path(), first.path(), options);
  pack_shards(folder.path(), again.path(), options);
  CHECK(read_file_bytes(first / "train/000000.tar") == read_file_bytes(again / "train/000000.tar"));
  options.seed = 3;
  pack_shards(folder.path(), other.path(), options);
  options.shuffled = false;
  pack_shards(folder.path(), sorted.path(), options);
  std::vector<std::string> in_order = names_of(*open_tar_shards(shards_in(sorted / "train")));
  CHECK(std::is_sorted(in_order.begin(), in_order.end()));
  std::vector<std::string> a = names_of(*open_tar_shards(shards_in(first / "train"))),
                           b = names_of(*open_tar_shards(shards_in(other / "train")));
  CHECK(a != b);
  CHECK(a != in_order);
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  CHECK(a == in_order);
  CHECK(b == in_order);
}

TEST_CASE("packing: stopping, and sizes as text") {
  const ScratchFolder folder, out;
  write_tree(folder);
  PackOptions options;
  int asked = 0;
  options.should_stop = [&] { return ++asked > 5; };
  const PackResult result = pack_shards(folder.path(), out.path(), options);
  CHECK_FALSE(result.finished);
  CHECK(result.pictures == 5);
  CHECK(std::filesystem::is_empty(out / "train"));  // no part of an archive stays

  CHECK(parse_size("500M") == 524288000);
  CHECK(parse_size("7") == 7);
  CHECK(parse_size("1K") == 1024);
  CHECK(parse_size("2G") == std::uint64_t{2} << 30);
  for (const char* bad :
       {"", "M", "0", "-1", "1.5G", "5T", "5m", "99999999999G", "99999999999999999999", "1M "})
    CHECK_THROWS_AS(parse_size(bad), ConfigError);
}

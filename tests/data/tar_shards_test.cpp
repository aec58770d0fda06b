// Labelled pictures in archives: both ways to give labels, splits, and refusals.
#include "data/tar_shards.h"

#include <doctest/doctest.h>

#include "data/image_codec.h"
#include "data/registry.h"
#include "data/tar.h"
#include "tests/data/expect_data_error.h"
#include "tests/scratch_folder.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

using Files = std::vector<std::pair<std::string, Bytes>>;

Bytes text(const std::string& value) {
  return {value.begin(), value.end()};
}

Bytes picture(std::uint8_t value, int height = 4, int width = 4) {
  Image image(height, width, 3);
  std::fill(image.pixels.begin(), image.pixels.end(), value);
  return encode_png(image);
}

std::filesystem::path pack(const ScratchFolder& folder, const std::string& name, const Files& files) {
  const auto path = folder / name;
  std::filesystem::create_directories(path.parent_path());
  TarWriter writer(path);
  for (const auto& [entry, content] : files) writer.add(entry, content);
  writer.finish();
  return path;
}

}  // namespace

TEST_CASE("shards: labels from folders, pictures in the order of the archives") {
  const ScratchFolder folder;
  const auto b = pack(folder, "b.tar", {{"./train/dog/1.JPG", text("d1")}, {"notes.txt", text("x")}});
  const auto a = pack(folder, "a.tar",
                      {{"cat/2.png", text("c2")}, {"cat/._2.png", text("mac")}, {"ape/3.jpeg", text("a3")}});
  const auto shards = shards_in(folder.path());
  CHECK(shards == std::vector<std::filesystem::path>{a, b});
  const auto pictures = open_tar_shards(shards);
  CHECK(pictures->class_names() == std::vector<std::string>{"ape", "cat", "dog"});
  REQUIRE(pictures->size() == 3);
  CHECK(pictures->label(0) == 1);
  CHECK(pictures->label(1) == 0);
  CHECK(pictures->label(2) == 2);
  CHECK(pictures->read(1) == text("a3"));
  CHECK(pictures->read(2) == text("d1"));
  CHECK(pictures->name(2) == b.string() + ":./train/dog/1.JPG");
  CHECK(pictures->stretches() == std::vector<std::int64_t>{0, 2});
  CHECK(pictures->version(0) != pictures->version(1));
  CHECK_THROWS_AS(pictures->read(3), ShapeError);

  const auto first = open_tar_shards(shards_in(a), {"cat", "ape", "zebra"}, 1);
  CHECK(first->size() == 1);
  CHECK(first->label(0) == 0);
  CHECK(first->class_names().size() == 3);
  expect_data_error("b.tar:./train/dog/1.JPG", "class dog, which is not among the 2", [&] {
    open_tar_shards(shards, {"ape", "cat"});
  });
}

TEST_CASE("shards: labels from .cls files, keys end at the first point") {
  const ScratchFolder folder;
  const auto file = pack(folder, "w.tar",
                         {{"a/0.v1.jpg", text("p0")},
                          {"a/0.v1.cls", text("2\n")},
                          {"a/0.json", text("{}")},
                          {"a/1.cls", text("0")},
                          {"a/1.png", text("p1")}});
  // "a/0.v1.jpg" and "a/0.v1.cls" share the key "a/0".
  const auto pictures = open_tar_shards({file});
  REQUIRE(pictures->size() == 2);
  CHECK(pictures->label(0) == 2);
  CHECK(pictures->label(1) == 0);
  CHECK(pictures->class_names() == std::vector<std::string>{"0", "1", "2"});
  CHECK(open_tar_shards({file}, {"x", "y", "z"})->label(0) == 2);
  expect_data_error("w.tar:a/0.v1.jpg", "class 2", [&] { open_tar_shards({file}, {"x", "y"}); });
  for (const char* label : {"", "-1", "one", "3.5", "99999999", "1 2"}) {
    CAPTURE(label);
    const auto bad = pack(folder, "bad.tar", {{"k.jpg", text("p")}, {"k.cls", text(label)}});
    expect_data_error("bad.tar:k.cls", "expected a class number", [&] { open_tar_shards({bad}); });
  }
  const auto lone = pack(folder, "lone.tar", {{"k.jpg", text("p")}, {"other.cls", text("1")}});
  expect_data_error("lone.tar:k.jpg", "has no label, expected k.cls", [&] { open_tar_shards({lone}); });
  const auto twice =
      pack(folder, "twice.tar", {{"k.jpg", text("p")}, {"k.png", text("p")}, {"k.cls", text("1")}});
  expect_data_error("twice.tar:k.png", "second picture", [&] { open_tar_shards({twice}); });
  const auto long_label = pack(folder, "long.tar", {{"k.jpg", text("p")}, {"k.cls", Bytes(100, '1')}});
  expect_data_error("long.tar:k.cls", "more than the 64", [&] { open_tar_shards({long_label}); });
}

TEST_CASE("shards: a data set of squares; the test split has the classes of the training split") {
  const ScratchFolder folder;
  pack(folder, "train/0.tar", {{"cat/1.png", picture(10, 8, 12)}, {"dog/1.png", picture(20)}});
  pack(folder, "val/0.tar", {{"dog/9.png", picture(30)}});
  DatasetOptions options;
  options.name = "shards";
  options.path = folder.path();
  options.image_size = 4;
  const auto train = open_dataset(options);
  CHECK(train->sample_shape() == std::vector<std::int64_t>{4, 4, 3});
  CHECK(train->get(0).image.pixels == std::vector<std::uint8_t>(48, 10));
  options.train = false;
  const auto test = open_dataset(options);
  REQUIRE(test->size() == 1);
  CHECK(test->get(0).label == 1);
  CHECK(test->class_names() == train->class_names());
  folder.write("classes.txt", std::string("dog\ncat\n"));
  CHECK(open_dataset(options)->get(0).label == 0);
  options.train = true;
  options.image_size = 0;  // pictures as they are: views or a transform bring them to one size
  CHECK(open_dataset(options)->sample_shape() == std::vector<std::int64_t>{0, 0, 3});
  options.transform = {.resize = 3, .crop = 2};
  CHECK(open_dataset(options)->sample_shape() == std::vector<std::int64_t>{2, 2, 3});
  CHECK(open_dataset(options)->get(1).image.height == 2);
  folder.write("classes.txt", std::string("dog\ndog\n"));
  expect_data_error("classes.txt", "twice", [&] { open_dataset(options); });
}

TEST_CASE("shards: splits by the archives' names, and refusals") {
  const ScratchFolder folder;
  expect_data_error("shards needs a path", "", [] { shards_of_split("", true); });
  expect_data_error("no shards for training", "train/*.tar", [&] { shards_of_split(folder.path(), true); });
  const auto train = pack(folder, "train-000.tar", {{"a.png", text("p")}}),
             test = pack(folder, "val-000.tar", {{"notes", text("p")}});
  CHECK(shards_of_split(folder.path(), true) == std::vector<std::filesystem::path>{train});
  CHECK(shards_of_split(folder.path(), false) == std::vector<std::filesystem::path>{test});
  expect_data_error("train-000.tar:a.png", "has no class", [&] { open_tar_shards({train}); });
  expect_data_error("val-000.tar", "no PNG or JPEG files", [&] { open_tar_shards({test}); });
  expect_data_error("nothing", "no such file", [&] { shards_in(folder / "nothing"); });
}

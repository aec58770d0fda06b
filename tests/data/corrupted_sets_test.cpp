// Published corrupted sets: folders of arrays and trees of pictures, and every refusal.
#include "data/corrupted_sets.h"

#include <doctest/doctest.h>

#include <functional>
#include <set>

#include "data/image_codec.h"
#include "data/memory_dataset.h"
#include "tests/data/expect_data_error.h"
#include "tests/golden.h"
#include "tests/scratch_folder.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

const std::vector<std::string> kTen = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};

Tensor pictures(std::int64_t rows, std::int64_t side = 4, std::int64_t channels = 3) {
  std::vector<std::uint8_t> values;
  for (std::int64_t i = 0; i < rows * side * side * channels; ++i)
    values.push_back(static_cast<std::uint8_t>(i / (side * side * channels)));
  return Tensor::from(values, {rows, side, side, channels});
}

/// Two types with three pictures at each of five severities.
void write_good(const ScratchFolder& folder) {
  write_npy(folder / "fog.npy", pictures(15));
  write_npy(folder / "snow.npy", pictures(15));
  write_npy(folder / "labels.npy", Tensor::from<std::int64_t>({0, 1, 2}, {3}));
}

std::shared_ptr<const Dataset> clean_set(std::vector<std::int64_t> labels, int side = 4) {
  MemoryImages content{.height = side, .width = side, .channels = 3};
  content.pixels.resize(labels.size() * content.image_bytes());
  content.labels = std::move(labels);
  content.class_names = kTen;
  return make_memory_dataset(std::move(content));
}

Bytes picture(std::uint8_t value, int side = 4) {
  Image image(side, side, 3);
  std::fill(image.pixels.begin(), image.pixels.end(), value);
  return encode_png(image);
}

}  // namespace

TEST_CASE("corrupted arrays: the layout of CIFAR-10-C") {
  const std::filesystem::path root = fixture_path("io/cifar_c/labels.npy").parent_path();
  const CorruptedArrays arrays(root, {"toy_corruption"}, kTen);
  CHECK(arrays.size() == 4);
  const Tensor expected = read_npy(root / "toy_corruption.npy").values;
  for (int severity = 1; severity <= 5; ++severity) {
    const auto set = arrays.open("toy_corruption", severity);
    CHECK(set->size() == 4);
    CHECK(set->sample_shape() == std::vector<std::int64_t>{32, 32, 3});
    CHECK(set->class_names() == kTen);
    for (std::int64_t i = 0; i < 4; ++i) {
      const Example example = set->get(i);
      CHECK(example.label == 3 * i);
      const std::uint8_t* row = expected.data<std::uint8_t>() + ((severity - 1) * 4 + i) * 3072;
      CHECK(std::equal(example.image.pixels.begin(), example.image.pixels.end(), row));
    }
    CHECK_THROWS_AS(set->get(4), ShapeError);
  }
  CHECK(arrays.open("toy_corruption", 2)->description().find("severity 2") != std::string::npos);
  CHECK_THROWS_AS(arrays.open("fog", 1), ShapeError);
  CHECK_THROWS_AS(arrays.open("toy_corruption", 6), ShapeError);
}

TEST_CASE("corrupted arrays: a clean set that agrees") {
  ScratchFolder folder;
  write_good(folder);
  const auto clean = clean_set({0, 1, 2});
  const CorruptedArrays arrays(folder.path(), {"fog", "snow"}, kTen, clean.get());
  CHECK(arrays.open("snow", 5)->get(2).image.pixels[0] == 14);
}

TEST_CASE("corrupted arrays: every refusal") {
  const auto refuse = [](const std::string& file, const std::string& message,
                         const std::function<void(const ScratchFolder&)>& damage,
                         const std::shared_ptr<const Dataset>& clean = nullptr) {
    ScratchFolder folder;
    write_good(folder);
    damage(folder);
    CAPTURE(message);
    expect_data_error((file.empty() ? folder.path() : folder / file).string(), message, [&] {
      CorruptedArrays(folder.path(), {"fog", "snow"}, kTen, clean.get());
    });
  };
  const auto nothing = [](const ScratchFolder&) {};
  const auto replace = [](const char* name, Tensor values) {
    return [name, values](const ScratchFolder& folder) { write_npy(folder / name, values); };
  };
  refuse("", "lacks fog.npy, snow.npy, labels.npy", [](const ScratchFolder& folder) {
    for (const char* name : {"fog.npy", "snow.npy", "labels.npy"}) std::filesystem::remove(folder / name);
  });
  refuse("fog.npy", "holds float32, expected uint8",
         replace("fog.npy", Tensor::zeros({15, 4, 4, 3}, Dtype::f32)));
  refuse("fog.npy", "expected [5 n, height, width, 3]", replace("fog.npy", pictures(15, 4, 1)));
  refuse("fog.npy", "expected [5 n, height, width, 3]", replace("fog.npy", Tensor::zeros({15}, Dtype::u8)));
  refuse("fog.npy", "expected an array of rows", replace("fog.npy", Tensor::zeros({}, Dtype::u8)));
  refuse("fog.npy", "has 14 rows, expected the same number for each", replace("fog.npy", pictures(14)));
  refuse("fog.npy", "has 0 rows", replace("fog.npy", pictures(0)));
  refuse("snow.npy", "has 20 rows, but fog.npy has 15", replace("snow.npy", pictures(20)));
  refuse("snow.npy", "has pictures of [5, 5, 3], but fog.npy has [4, 4, 3]",
         replace("snow.npy", pictures(15, 5)));
  refuse("fog.npy", "truncated or damaged",
         [](const ScratchFolder& folder) { std::filesystem::resize_file(folder / "fog.npy", 500); });
  refuse("fog.npy", "not a .npy file",
         [](const ScratchFolder& folder) { folder.write("fog.npy", std::string("x")); });
  refuse("labels.npy", "has 4 labels, expected 3",
         replace("labels.npy", Tensor::from<std::int64_t>({0, 1, 2, 3}, {4})));
  refuse("labels.npy", "label 1 is 10, expected 0 to 9",
         replace("labels.npy", Tensor::from<std::int64_t>({0, 10, 2}, {3})));
  refuse("labels.npy", "label 2 is -1", replace("labels.npy", Tensor::from<std::int64_t>({0, 1, -1}, {3})));
  refuse("labels.npy", "holds float32, expected integers",
         replace("labels.npy", Tensor::zeros({3}, Dtype::f32)));
  refuse("labels.npy", "expected one axis", replace("labels.npy", Tensor::zeros({3, 1}, Dtype::u8)));
  refuse(
      "labels.npy", "label 4 is 2, but label 1, of the same picture at severity 1, is 1",
      replace("labels.npy", Tensor::from<std::int32_t>({0, 1, 2, 0, 2, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2}, {15})));
  refuse("fog.npy", "3 pictures for each severity, but the clean test set has 2", nothing, clean_set({0, 1}));
  refuse("fog.npy", "pictures of [4, 4, 3], but the clean test set has [5, 5, 3]", nothing,
         clean_set({0, 1, 2}, 5));
  refuse("labels.npy", "label 2 is 2, but that of the clean test set is 3", nothing, clean_set({0, 1, 3}));
  expect_data_error("/nowhere", "no such folder", [] { CorruptedArrays("/nowhere", {"fog"}, kTen); });
}

TEST_CASE("npy rows: ranges, and a file that shrinks") {
  ScratchFolder folder;
  write_npy(folder / "a.npy", pictures(6, 2));
  const NpyRows rows(folder / "a.npy");
  CHECK(rows.rows() == 6);
  CHECK(rows.row_bytes() == 12);
  std::vector<std::uint8_t> two(24);
  rows.read(4, 2, two.data());
  CHECK(two[0] == 4);
  CHECK(two[23] == 5);
  CHECK_THROWS_AS(rows.read(5, 2, two.data()), ShapeError);
  CHECK_THROWS_AS(rows.read(-1, 1, two.data()), ShapeError);
  std::filesystem::resize_file(folder / "a.npy", 130);
  expect_data_error("a.npy", "became shorter", [&] { rows.read(4, 2, two.data()); });
}

TEST_CASE("picture trees: all classes of the model, or some") {
  ScratchFolder folder;
  const std::vector<std::string> model = {"ant", "bee", "cat", "dog"};
  folder.write("ant/1.png", picture(1));
  folder.write("dog/2.png", picture(2));
  folder.write("dog/3.png", picture(3));
  const PictureTree tree = open_picture_tree(folder.path(), model, {.every_class = false});
  CHECK(tree.classes == std::vector<std::int64_t>{0, 3});
  CHECK(tree.skipped == 0);
  REQUIRE(tree.data->size() == 3);
  CHECK(tree.data->class_names() == std::vector<std::string>{"ant", "dog"});
  for (std::int64_t i = 0; i < 3; ++i) {
    const Example example = tree.data->get(i);
    CHECK(example.label == (example.image.pixels[0] == 1 ? 0 : 1));
  }
  CHECK(
      open_picture_tree(folder.path(), model, {.image_size = 2, .every_class = false}).data->sample_shape() ==
      std::vector<std::int64_t>{2, 2, 3});
  CHECK(open_picture_tree(folder.path(), model, {.limit = 1, .every_class = false}).data->size() == 1);
  expect_data_error(folder.path().string(), "lacks classes of the model: bee, cat",
                    [&] { open_picture_tree(folder.path(), model); });
  expect_data_error(folder.path().string(), "classes that the model does not know: dog",
                    [&] { open_picture_tree(folder.path(), {"ant"}, {.every_class = false}); });
  CHECK_THROWS_AS(open_picture_tree(folder.path(), model, {.image_size = -1}), ConfigError);
  for (char c = 'a'; c < 'i'; ++c) folder.write(std::string(1, c) + "/1.png", picture(1));
  expect_data_error(folder.path().string(), "a, b, c, d, e and 3 more",
                    [&] { open_picture_tree(folder.path(), model); });
}

TEST_CASE("picture trees: unreadable pictures") {
  ScratchFolder folder;
  folder.write("ant/1.png", picture(1));
  folder.write("ant/2.png", std::string("no picture"));
  folder.write("ant/3.png", picture(3, 5));
  const PictureTree skipped = open_picture_tree(folder.path(), {"ant"}, {.unreadable = Unreadable::skip});
  CHECK(skipped.skipped == 1);
  CHECK(skipped.data->size() == 2);
  expect_data_error("3.png", "set image_size", [&] {
    for (std::int64_t i = 0; i < 2; ++i) skipped.data->get(i);
  });
  expect_data_error("2.png", "", [&] {
    const PictureTree tree = open_picture_tree(folder.path(), {"ant"}, {.image_size = 4});
    for (std::int64_t i = 0; i < tree.data->size(); ++i) tree.data->get(i);
  });
  std::filesystem::remove(folder / "ant/1.png");
  std::filesystem::remove(folder / "ant/3.png");
  expect_data_error(folder.path().string(), "none of its 1 pictures can be read",
                    [&] { open_picture_tree(folder.path(), {"ant"}, {.unreadable = Unreadable::skip}); });
  std::filesystem::remove(folder / "ant/2.png");
  expect_data_error(folder.path().string(), "no PNG or JPEG files",
                    [&] { open_picture_tree(folder.path(), {"ant"}); });
}

TEST_CASE("picture trees: folders of types and severities") {
  ScratchFolder folder;
  for (const char* severity : {"1", "2", "3", "5"})
    std::filesystem::create_directories(folder / "fog" / severity);
  expect_data_error(folder.path().string(), "lacks fog/4, snow/1, snow/2", [&] {
    check_corrupted_trees(folder.path(), {"fog", "snow"});
  });
  std::filesystem::create_directories(folder / "fog" / "4");
  check_corrupted_trees(folder.path(), {"fog"});
  expect_data_error("/nowhere", "no such folder", [] { check_corrupted_trees("/nowhere", {"fog"}); });
}

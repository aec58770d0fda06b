// Layouts of ImageNet and its relatives, and every refusal with the place it names.
#include "data/imagenet.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <map>
#include <set>

#include "data/corrupted_sets.h"
#include "data/identify.h"
#include "data/image_codec.h"
#include "data/registry.h"
#include "tests/data/expect_data_error.h"
#include "tests/scratch_folder.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

Bytes picture(int value, int height = 4, int width = 4) {
  Image image(height, width, 3);
  std::fill(image.pixels.begin(), image.pixels.end(), static_cast<std::uint8_t>(value));
  return encode_png(image);
}

DatasetOptions options(const std::string& name, const ScratchFolder& folder, bool train,
                       ImageTransform transform = {}) {
  DatasetOptions result;
  result.name = name;
  result.path = folder.path();
  result.train = train;
  result.transform = transform;
  return result;
}

/// First byte of each picture by the name of its class.
std::map<std::string, std::set<int>> content(const Dataset& data) {
  std::map<std::string, std::set<int>> found;
  for (std::int64_t i = 0; i < data.size(); ++i) {
    const Example example = data.get(i);
    found[data.class_names()[static_cast<std::size_t>(example.label)]].insert(example.image.pixels[0]);
  }
  return found;
}

std::string wnid(int number) {
  char text[16];
  std::snprintf(text, sizeof text, "n%08d", number);
  return text;
}

}  // namespace

TEST_CASE("imagenet: class folders in alphabetical order, pictures of any size") {
  const ScratchFolder folder;
  folder.write("train/n02/b.JPEG", picture(21, 5, 9));
  folder.write("train/n02/a.JPEG", picture(22));
  folder.write("train/n01/c.png", picture(11, 7, 3));
  folder.write("train/n01/.hidden.png", std::string("not a picture"));
  folder.write("train/n01/notes.txt", std::string("neither"));
  folder.write("val/n01/d.JPEG", picture(12));
  folder.write("val/n02/e.JPEG", picture(23));
  const auto train = open_dataset(options("imagenet", folder, true));
  CHECK(train->sample_shape() == std::vector<std::int64_t>{0, 0, 3});
  CHECK(train->class_names() == std::vector<std::string>{"n01", "n02"});
  CHECK(content(*train) == std::map<std::string, std::set<int>>{{"n01", {11}}, {"n02", {21, 22}}});
  const auto test = open_dataset(options("imagenet", folder, false, {6, 4}));
  CHECK(test->sample_shape() == std::vector<std::int64_t>{4, 4, 3});
  CHECK(content(*test) == std::map<std::string, std::set<int>>{{"n01", {12}}, {"n02", {23}}});
  CHECK(test->get(0).image.height == 4);
  CHECK(describe_dataset(*train).find("different sizes") != std::string::npos);
  const auto again = open_imagenet(folder.path(), true), once = open_imagenet(folder.path(), true);
  for (std::int64_t i = 0; i < 3; ++i) CHECK(again->name(i) == once->name(i));
  std::filesystem::remove_all(folder / "train");  // those who only evaluate need no training pictures
  CHECK(open_dataset(options("imagenet", folder, false, {6, 4}))->classes() == 2);
}

TEST_CASE("imagenet: each thing that is missing is named with its place") {
  const ScratchFolder folder;
  const auto train = [&] { open_imagenet(folder.path(), true); };
  const auto test = [&] { open_imagenet(folder.path(), false); };
  expect_data_error("nowhere", "no such folder", [&] { open_imagenet(folder / "nowhere", true); });
  expect_data_error("needs a path", "train/CLASS/", [] { open_imagenet("", true); });
  folder.write("train/n01/a.png", picture(1));
  folder.write("train/n02/a.png", picture(1));
  expect_data_error((folder / "val").string(), "expected the test split", test);
  folder.write("val/ILSVRC2012_val_00000001.JPEG", picture(1));
  expect_data_error((folder / "val").string(), "one folder per class", test);
  folder.write("val/n01/a.png", picture(1));
  expect_data_error((folder / "val/n02").string(), "no such folder", test);
  std::filesystem::create_directories(folder / "val/n02");
  expect_data_error((folder / "val/n02").string(), "has no pictures", test);
  folder.write("val/n03/a.png", picture(1));
  expect_data_error((folder / "val/n03").string(), "missing in", test);
  std::filesystem::remove(folder / "train/n02/a.png");
  expect_data_error((folder / "train/n02").string(), "has no pictures", train);
  folder.write("train/n02/broken.JPEG", std::string("\xFF\xD8\xFF and then nothing"));
  const auto data = open_dataset(options("imagenet", folder, true));
  expect_data_error("train/n02/broken.JPEG", "JPEG", [&] {
    for (std::int64_t i = 0; i < data->size(); ++i) data->get(i);
  });
}

TEST_CASE("imagenette: ten folders under their English names, also in corrupted trees") {
  const ScratchFolder folder;
  const std::vector<std::string> wnids = {"n01440764", "n02102040", "n02979186", "n03000684", "n03028079",
                                          "n03394916", "n03417042", "n03425413", "n03445777", "n03888257"};
  int value = 0;
  for (const std::string& name : wnids)
    for (const char* split : {"train/", "val/", "fog/1/"})
      folder.write(split + name + "/1.JPEG", picture(++value));
  const auto test = open_dataset(options("imagenette", folder, false, {4, 4}));
  CHECK(test->classes() == 10);
  const auto found = content(*test);
  CHECK(found.at("tench") == std::set<int>{2});
  CHECK(found.at("parachute") == std::set<int>{29});
  const PictureTree fog = open_picture_tree(folder / "fog/1", test->class_names());
  CHECK(fog.classes == std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  folder.write("val/n99/1.JPEG", picture(1));
  expect_data_error((folder / "val/n99").string(), "not a class of ImageNette",
                    [&] { open_imagenette(folder.path(), false); });
  std::filesystem::remove_all(folder / "train/n03028079");
  expect_data_error((folder / "train/n03028079").string(), "no such folder",
                    [&] { open_imagenette(folder.path(), true); });
}

TEST_CASE("tiny-imagenet: images/ folders, annotations, and the sorted variant") {
  const ScratchFolder folder;
  folder.write("wnids.txt", std::string("n02\nn01\n"));
  folder.write("train/n01/images/n01_0.JPEG", picture(11));
  folder.write("train/n02/images/n02_0.JPEG", picture(21));
  folder.write("train/n02/n02_boxes.txt", std::string("n02_0.JPEG\t0\t0\t1\t1\n"));
  folder.write("val/images/val_0.JPEG", picture(22));
  folder.write("val/images/val_1.JPEG", picture(12));
  folder.write("val/val_annotations.txt",
               std::string("val_0.JPEG\tn02\t0\t0\t1\t1\r\nval_1.JPEG\tn01\t0\t0\t1\t1\r\n"));
  const auto train = open_dataset(options("tiny-imagenet", folder, true));
  CHECK(train->sample_shape() == std::vector<std::int64_t>{4, 4, 3});
  CHECK(content(*train) == std::map<std::string, std::set<int>>{{"n01", {11}}, {"n02", {21}}});
  const std::map<std::string, std::set<int>> expected = {{"n01", {12}}, {"n02", {22}}};
  CHECK(content(*open_dataset(options("tiny-imagenet", folder, false))) == expected);
  CHECK(describe_path(folder.path()).find("tiny-imagenet, test split") != std::string::npos);
  std::filesystem::remove(folder / "wnids.txt");  // then the folders of train/ are the classes
  CHECK(content(*open_dataset(options("tiny-imagenet", folder, false))) == expected);
  const auto test = [&] { open_tiny_imagenet(folder.path(), false); };
  folder.write("val/val_annotations.txt", std::string("val_0.JPEG\tn07\t0\t0\t1\t1\n"));
  expect_data_error("val_annotations.txt: line 1", "'n07'", test);
  folder.write("val/val_annotations.txt", std::string("val_9.JPEG\tn01\n"));
  expect_data_error("val_annotations.txt: line 1", "val_9.JPEG, which is not in", test);
  folder.write("val/val_annotations.txt", std::string("val_0.JPEG\n"));
  expect_data_error("val_annotations.txt: line 1", "after a tab", test);
  std::filesystem::remove(folder / "val/val_annotations.txt");
  expect_data_error("val_annotations.txt", "no such file", test);
  std::filesystem::remove_all(folder / "val/images");
  folder.write("val/n01/val_1.JPEG", picture(12));
  folder.write("val/n02/images/val_0.JPEG", picture(22));
  CHECK(content(*open_dataset(options("tiny-imagenet", folder, false))) == expected);
}

TEST_CASE("imagenet-r: a test set of some classes, counted as ImageNet's where their list is there") {
  const ScratchFolder folder;
  folder.write("n02/art_0.jpg", picture(2, 8, 6));
  folder.write("n05/toy_0.jpg", picture(5, 5, 9));
  const auto alone = open_dataset(options("imagenet-r", folder, false, {4, 4}));
  CHECK(alone->class_names() == std::vector<std::string>{"n02", "n05"});
  folder.write("LOC_synset_mapping.txt", std::string("n01 tench, Tinca tinca\nn05 dog\nn02 cat\n"));
  const auto listed = open_dataset(options("imagenet-r", folder, false, {4, 4}));
  CHECK(listed->class_names() == std::vector<std::string>{"n01", "n02", "n05"});
  CHECK(content(*listed) == std::map<std::string, std::set<int>>{{"n02", {2}}, {"n05", {5}}});
  expect_data_error(folder.path().string(), "without a training split",
                    [&] { open_dataset(options("imagenet-r", folder, true)); });
  folder.write("LOC_synset_mapping.txt", std::string("n01 tench\nn02 cat\n"));
  expect_data_error((folder / "n05").string(), "not in the list",
                    [&] { open_dataset(options("imagenet-r", folder, false)); });
  folder.write("LOC_synset_mapping.txt", std::string("n02 tench\nn02 cat\n"));
  expect_data_error("LOC_synset_mapping.txt", "twice", [&] { open_imagenet_r(folder.path(), false); });
  folder.write("LOC_synset_mapping.txt", std::string("../n02 tench\n"));
  expect_data_error("LOC_synset_mapping.txt", "does not begin with",
                    [&] { open_imagenet_r(folder.path(), false); });
}

TEST_CASE("restricted imagenet: nine ranges of the thousand classes") {
  const ScratchFolder folder;
  std::string list;
  for (int i = 0; i < 1000; ++i) list += wnid(i) + " name\n";
  for (const auto& range : {std::pair{151, 268},
                            {281, 285},
                            {30, 32},
                            {33, 37},
                            {80, 100},
                            {365, 382},
                            {389, 397},
                            {118, 121},
                            {300, 319}})
    for (int i = range.first; i <= range.second; ++i)
      folder.write("val/" + wnid(i) + "/1.png", picture(i % 256));
  const auto open = [&] { return open_restricted_imagenet(folder.path(), false); };
  expect_data_error(folder.path().string(), "has folders of 203 classes, expected ImageNet's 1000", open);
  folder.write("LOC_synset_mapping.txt", list);
  const auto data = open_dataset(options("restricted-imagenet", folder, false, {4, 4}));
  CHECK(data->size() == 118 + 5 + 3 + 5 + 21 + 18 + 9 + 4 + 20);
  CHECK(data->class_names() ==
        std::vector<std::string>{"dog", "cat", "frog", "turtle", "bird", "monkey", "fish", "crab", "insect"});
  const auto found = content(*data);
  CHECK(found.at("cat") == std::set<int>{25, 26, 27, 28, 29});
  CHECK(found.at("frog") == std::set<int>{30, 31, 32});
  CHECK(found.at("crab") == std::set<int>{118, 119, 120, 121});
  CHECK(found.at("dog").size() == 118);
  std::filesystem::remove_all(folder / ("val/" + wnid(281)));
  expect_data_error(wnid(281), "no such folder", open);
}

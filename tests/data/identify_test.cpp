// Describing paths, exporting, and the contact sheet.
#include "data/identify.h"

#include <doctest/doctest.h>

#include "data/cifar.h"
#include "data/contact_sheet.h"
#include "data/export.h"
#include "data/image_codec.h"
#include "data/image_folder.h"
#include "data/npy.h"
#include "data/shapes.h"
#include "data/toy.h"
#include "tests/data/expect_data_error.h"
#include "tests/scratch_folder.h"
#include "tests/golden.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

void check_description(const std::string& file, std::initializer_list<const char*> parts) {
  const std::string text = describe_path(fixture_path("io/" + file));
  CAPTURE(text);
  for (const char* part : parts) CHECK(text.find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("identify: every golden format") {
  check_description("cifar10_20.bin", {"CIFAR-10 binary", "20 images of 32x32x3", "airplane: 2"});
  check_description("cifar100_20.bin", {"CIFAR-100 binary", "100 classes"});
  check_description("mnist-images-idx3-ubyte", {"IDX array", "[10, 28, 28]"});
  check_description("mnist-labels-idx1-ubyte.gz", {"gzipped IDX", "from 0 to 9"});
  check_description("npy/fortran.npy", {"npy array", "float32", "[2, 3, 4]"});
  check_description("bundle_deflated.npz", {"npz archive, 4 arrays", "labels", "int64"});
  check_description("png/gray.png", {"PNG picture", "grey"});
  check_description("jpeg/tiny_7x5.jpg", {"JPEG picture, 5x7 RGB"});
  check_description("sample.safetensors", {"safetensors, 6 tensors", "c.half"});
}

TEST_CASE("identify: refuses what it does not know or what is damaged") {
  ScratchFolder folder;
  expect_data_error("nowhere", "no such file or folder", [&] { describe_path(folder / "nowhere"); });
  expect_data_error("text", "unknown format",
                    [&] { describe_path(folder.write("text", std::string("hello, world"))); });
  expect_data_error("none", "is empty", [&] { describe_path(folder.write("none", std::string())); });
  expect_data_error(folder.path().string(), "not a known data set", [&] { describe_path(folder.path()); });
  Bytes record(3073, 0);
  record[0] = 77;
  expect_data_error("bad.bin", "record 0 has label 77",
                    [&] { describe_path(folder.write("bad.bin", record)); });
  expect_data_error("bad.png", "PNG", [&] {
    describe_path(folder.write("bad.png", Bytes{0x89, 'P', 'N', 'G', 13, 10, 26, 10}));
  });
}

TEST_CASE("identify: points and folders") {
  const std::string points = describe_dataset(*make_circles(0, true));
  CHECK(points.find("300 points of 2, 2 classes") != std::string::npos);
}

TEST_CASE("export: every format reads back") {
  ScratchFolder folder;
  const auto shapes = make_shapes(1, true, 60);

  CHECK(export_dataset(*shapes, folder / "png", "png").find("60 examples") != std::string::npos);
  const auto pictures = open_image_folder(folder / "png", true, 0);
  CHECK(pictures->size() == 50);  // of six a class the fifth is for testing
  CHECK(read_image(folder / "png/arrow/000009.png") == shapes->get(9).image);
  CHECK(describe_path(folder / "png").find("sizes from 32x32 to 32x32") != std::string::npos);

  export_dataset(*shapes, folder / "npy", "npy");
  const auto images = read_npy(folder / "npy/images.npy").values;
  CHECK(images.shape() == Shape({60, 32, 32, 3}));
  CHECK(images.data<std::uint8_t>()[3072 * 4 + 5] == shapes->get(4).image.pixels[5]);
  CHECK(read_npy(folder / "npy/labels.npy").values.data<std::int64_t>()[13] == 3);
  export_dataset(*make_polygon(0, true), folder / "points", "npy");
  CHECK(read_npy(folder / "points/features.npy").values.shape() == Shape({250, 2}));

  export_dataset(*shapes, folder / "cifar", "cifar", "test_batch");
  const auto back = open_cifar(folder / "cifar", CifarKind::cifar10, false);
  REQUIRE(back->size() == 60);
  CHECK(back->class_names() == shape_names());
  for (const std::int64_t i : {0, 17, 29}) {
    CHECK(back->get(i).image == shapes->get(i).image);
    CHECK(back->get(i).label == shapes->get(i).label);
  }
}

TEST_CASE("export: refusals") {
  ScratchFolder folder;
  CHECK_THROWS_AS(export_dataset(*make_shapes(0, true, 1), folder / "x", "bmp"), ConfigError);
  expect_data_error("circles", "holds no images",
                    [&] { export_dataset(*make_circles(0, true), folder / "x", "png"); });
  expect_data_error("circles", "32x32 RGB",
                    [&] { export_dataset(*make_circles(0, true), folder / "x", "cifar"); });
  folder.write("file", std::string("in the way"));
  expect_data_error("file", "cannot be created",
                    [&] { export_dataset(*make_shapes(0, true, 1), folder / "file/x", "npy"); });
}

TEST_CASE("contact sheet: one class per row, magnified, empty cells white") {
  const auto shapes = make_shapes(2, true, 20);
  const Image sheet = make_contact_sheet(*shapes, 10, 3, 2);
  CHECK(sheet.height == 10 * 66 + 2);
  CHECK(sheet.width == 3 * 66 + 2);
  const Image second = shapes->get(13).image;  // row 3, second column
  CHECK(sheet.row(3 * 66 + 2 + 10)[3 * (66 + 2 + 20) + 1] == second.row(5)[3 * 10 + 1]);
  CHECK(sheet.row(3 * 66 + 2 + 10)[3 * (2 * 66 + 2 + 20)] == 255);
  CHECK_THROWS_AS(make_contact_sheet(*make_circles(0, true), 1, 1, 1), DataError);
  CHECK_THROWS_AS(make_contact_sheet(*shapes, 0, 1, 1), ConfigError);
}

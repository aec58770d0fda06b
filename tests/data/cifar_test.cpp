// CIFAR binaries: the golden records, both folder layouts, names, and every kind of damage.
#include "data/cifar.h"

#include <doctest/doctest.h>

#include "data/npy.h"
#include "data/registry.h"
#include "tests/data/expect_data_error.h"
#include "tests/scratch_folder.h"
#include "tests/golden.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

nlohmann::json golden_entry(const std::string& file) {
  const auto manifest = read_json(fixture_path("io/manifest.json"));
  for (const auto& entry : manifest.at("files"))
    if (entry.at("file") == file) return entry;
  FAIL("no manifest entry for " << file);
  return {};
}

/// `count` valid CIFAR-10 records whose pixels are all `value`.
Bytes cifar10_records(int count, std::uint8_t value = 7) {
  Bytes bytes;
  for (int i = 0; i < count; ++i) {
    bytes.push_back(static_cast<std::uint8_t>(i % 10));
    bytes.insert(bytes.end(), kCifarImageBytes, value);
  }
  return bytes;
}

void write_cifar10_train(const ScratchFolder& folder, const std::string& prefix = "") {
  for (int i = 1; i <= 5; ++i)
    folder.write(prefix + "data_batch_" + std::to_string(i) + ".bin",
                 cifar10_records(2, static_cast<std::uint8_t>(i)));
}

}  // namespace

TEST_CASE("cifar: golden records") {
  const NpyArray expected = read_npy(fixture_path("io/cifar_images_u8_nhwc.npy"));
  const auto images = expected.values.to_vector<std::uint8_t>();
  for (const CifarKind kind : {CifarKind::cifar10, CifarKind::cifar100}) {
    const bool ten = kind == CifarKind::cifar10;
    const std::string file = ten ? "cifar10_20.bin" : "cifar100_20.bin";
    MemoryImages content{.height = 32, .width = 32, .channels = 3};
    append_cifar_file(fixture_path("io/" + file), kind, content);
    CHECK(content.labels == golden_entry(file).at(ten ? "labels" : "fine").get<std::vector<std::int64_t>>());
    REQUIRE(images.size() >= content.pixels.size());
    CHECK(std::equal(content.pixels.begin(), content.pixels.end(), images.begin()));
  }
}

TEST_CASE("cifar: the folder may be the official one or the one around it") {
  ScratchFolder direct, around;
  write_cifar10_train(direct);
  write_cifar10_train(around, "cifar-10-batches-bin/");
  for (const auto* folder : {&direct, &around}) {
    const auto dataset = open_dataset({.name = "cifar10", .path = folder->path()});
    REQUIRE(dataset->size() == 10);
    CHECK(dataset->get(9).label == 1);
    CHECK(dataset->get(9).image.pixels[5] == 5);
    CHECK(dataset->class_names()[3] == "cat");
    CHECK(dataset->sample_shape() == std::vector<std::int64_t>{32, 32, 3});
  }
}

TEST_CASE("cifar: class names come from the file beside the data") {
  ScratchFolder folder;
  folder.write("test_batch.bin", cifar10_records(1));
  folder.write("batches.meta.txt", "a\r\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n");
  CHECK(open_cifar(folder.path(), CifarKind::cifar10, false)->class_names() ==
        std::vector<std::string>{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"});
  folder.write("batches.meta.txt", "a\nb\n");
  expect_data_error("batches.meta.txt", "2 class names, expected 10",
                    [&] { open_cifar(folder.path(), CifarKind::cifar10, false); });
}

TEST_CASE("cifar: limit and range of examples") {
  ScratchFolder folder;
  folder.write("test_batch.bin", cifar10_records(10));
  const auto dataset = open_dataset({.name = "cifar10", .path = folder.path(), .train = false, .limit = 4});
  CHECK(dataset->size() == 4);
  CHECK_THROWS_AS(dataset->get(4), ShapeError);
  CHECK_THROWS_AS(dataset->get(-1), ShapeError);
}

TEST_CASE("cifar: bad input") {
  const auto open_test = [](const std::filesystem::path& path) {
    return open_cifar(path, CifarKind::cifar10, false);
  };
  ScratchFolder folder;
  expect_data_error("CIFAR-10", "needs a path", [&] { open_test(""); });
  expect_data_error("nowhere", "no such folder", [&] { open_test(folder / "nowhere"); });
  expect_data_error(folder.path().string(), "neither test_batch.bin nor cifar-10-batches-bin/test_batch.bin",
                    [&] { open_test(folder.path()); });

  Bytes bytes = cifar10_records(3);
  bytes.pop_back();
  folder.write("test_batch.bin", bytes);
  expect_data_error("test_batch.bin", "9218 bytes, expected a whole number of 3073-byte records",
                    [&] { open_test(folder.path()); });
  folder.write("test_batch.bin", Bytes{});
  expect_data_error("test_batch.bin", "0 bytes", [&] { open_test(folder.path()); });
  bytes = cifar10_records(3);
  bytes[2 * 3073] = 10;
  folder.write("test_batch.bin", bytes);
  expect_data_error("test_batch.bin", "record 2 has label 10, expected 0 to 9",
                    [&] { open_test(folder.path()); });

  write_cifar10_train(folder);
  std::filesystem::remove(folder / "data_batch_4.bin");
  expect_data_error("data_batch_4.bin", "no such file",
                    [&] { open_cifar(folder.path(), CifarKind::cifar10, true); });
  std::filesystem::create_directory(folder / "data_batch_4.bin");
  expect_data_error("data_batch_4.bin", "is a folder",
                    [&] { open_cifar(folder.path(), CifarKind::cifar10, true); });

  Bytes hundred(2 * 3074, 0);
  hundred[3074] = 20;
  folder.write("test.bin", hundred);
  expect_data_error("test.bin", "record 1 has coarse label 20",
                    [&] { open_cifar(folder.path(), CifarKind::cifar100, false); });
  hundred[3074] = 19;
  hundred[3075] = 100;
  folder.write("test.bin", hundred);
  expect_data_error("test.bin", "record 1 has label 100, expected 0 to 99",
                    [&] { open_cifar(folder.path(), CifarKind::cifar100, false); });
}

// IDX and gzip: golden files, the MNIST layout, and damage.
#include "data/idx.h"

#include <doctest/doctest.h>

#include "data/gzip.h"
#include "data/npy.h"
#include "data/registry.h"
#include "tests/data/expect_data_error.h"
#include "tests/scratch_folder.h"
#include "tests/golden.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

const std::vector<std::uint8_t> kLabels = {0, 3, 6, 9, 2, 5, 8, 1, 4, 7};

Bytes fixture(const std::string& name) {
  return read_file_bytes(fixture_path("io/" + name));
}

}  // namespace

TEST_CASE("idx: golden files, plain and gzipped") {
  const auto expected = read_npy(fixture_path("io/mnist_images_u8.npy")).values.to_vector<std::uint8_t>();
  for (const char* suffix : {"", ".gz"}) {
    const Tensor images = read_idx(fixture_path(std::string("io/mnist-images-idx3-ubyte") + suffix));
    CHECK(images.shape() == Shape({10, 28, 28}));
    CHECK(images.to_vector<std::uint8_t>() == expected);
    CHECK(read_idx(fixture_path(std::string("io/mnist-labels-idx1-ubyte") + suffix))
              .to_vector<std::uint8_t>() == kLabels);
  }
  const Tensor floats = read_idx(fixture_path("io/idx_float32"));
  CHECK(floats.shape() == Shape({2, 3}));
  CHECK(floats.to_vector<float>() == std::vector<float>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("idx: all element types") {
  const auto parse = [](Bytes bytes) { return parse_idx("x", bytes); };
  CHECK(parse({0, 0, 0x09, 1, 0, 0, 0, 1, 0xFE}).to_vector<std::int32_t>() == std::vector<std::int32_t>{-2});
  CHECK(parse({0, 0, 0x0B, 1, 0, 0, 0, 1, 0xFF, 0x00}).to_vector<std::int32_t>() ==
        std::vector<std::int32_t>{-256});
  CHECK(parse({0, 0, 0x0C, 1, 0, 0, 0, 1, 0, 0, 1, 2}).to_vector<std::int32_t>() ==
        std::vector<std::int32_t>{258});
  CHECK(parse({0, 0, 0x0E, 1, 0, 0, 0, 1, 0x3F, 0xF0, 0, 0, 0, 0, 0, 0}).to_vector<double>() ==
        std::vector<double>{1});
  CHECK(parse({0, 0, 0x08, 1, 0, 0, 0, 0}).numel() == 0);
}

TEST_CASE("mnist: opens plain and gzipped files by their usual names") {
  ScratchFolder folder;
  folder.write("train-images-idx3-ubyte.gz", fixture("mnist-images-idx3-ubyte.gz"));
  folder.write("train-labels-idx1-ubyte", fixture("mnist-labels-idx1-ubyte"));
  folder.write("t10k-images.idx3-ubyte", fixture("mnist-images-idx3-ubyte"));
  folder.write("t10k-labels-idx1-ubyte.gz", fixture("mnist-labels-idx1-ubyte.gz"));
  const auto expected = read_npy(fixture_path("io/mnist_images_u8.npy")).values.to_vector<std::uint8_t>();
  for (const bool train : {true, false}) {
    const auto dataset = open_dataset({.name = "mnist", .path = folder.path(), .train = train});
    REQUIRE(dataset->size() == 10);
    CHECK(dataset->classes() == 10);
    CHECK(dataset->sample_shape() == std::vector<std::int64_t>{28, 28, 1});
    for (std::size_t i = 0; i < 10; ++i) {
      const Example example = dataset->get(static_cast<std::int64_t>(i));
      CHECK(example.label == kLabels[i]);
      CHECK(std::equal(example.image.pixels.begin(), example.image.pixels.end(), expected.data() + i * 784));
    }
  }
}

TEST_CASE("mnist: bad input") {
  ScratchFolder folder;
  const auto open = [&] { return open_mnist(folder.path(), true); };
  expect_data_error("mnist", "needs a path", [] { open_mnist("", true); });
  expect_data_error("train-images-idx3-ubyte", "no such file", open);
  folder.write("train-images-idx3-ubyte", fixture("mnist-images-idx3-ubyte"));
  expect_data_error("train-labels-idx1-ubyte", "no such file", open);
  folder.write("train-labels-idx1-ubyte", Bytes{0, 0, 8, 1, 0, 0, 0, 2, 1, 2});
  expect_data_error("train-images-idx3-ubyte", "10 images but 2 labels", open);
  folder.write("train-labels-idx1-ubyte", fixture("mnist-images-idx3-ubyte"));
  expect_data_error("train-labels-idx1-ubyte", "expected bytes [count]", open);
  folder.write("train-images-idx3-ubyte", fixture("idx_float32"));
  expect_data_error("train-images-idx3-ubyte", "expected bytes [count, height, width]", open);
}

TEST_CASE("idx and gzip: bad input") {
  const auto refuse = [](Bytes bytes, const char* message) {
    expect_data_error("bad.idx", message, [&] { parse_idx("bad.idx", bytes); });
  };
  refuse({}, "not an IDX file");
  refuse({1, 0, 8, 1, 0, 0, 0, 0}, "not an IDX file");
  refuse({0, 0, 7, 1, 0, 0, 0, 0}, "not an IDX file");
  refuse({0, 0, 8, 9, 0, 0, 0, 0}, "not an IDX file");
  refuse({0, 0, 8, 2, 0, 0, 0, 1}, "header is truncated");
  refuse({0, 0, 8, 1, 0, 0, 0, 3, 1, 2}, "do not fill the sizes");
  refuse({0, 0, 8, 1, 0, 0, 0, 1, 1, 2}, "do not fill the sizes");
  refuse({0, 0, 14, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}, "do not fill the sizes");
  refuse({0, 0, 14, 3, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255}, "do not fill the sizes");

  const Bytes good = fixture("mnist-labels-idx1-ubyte.gz");
  const auto refuse_gzip = [&](const char* message, auto change) {
    Bytes bytes = good;
    change(bytes);
    expect_data_error("bad.gz", message, [&] { gunzip("bad.gz", bytes); });
  };
  refuse_gzip("truncated", [](Bytes& b) { b.resize(b.size() - 5); });
  refuse_gzip("truncated", [](Bytes& b) { b.resize(3); });
  refuse_gzip("damaged", [](Bytes& b) { b[b.size() - 8] ^= 1; });  // CRC
  refuse_gzip("bytes follow", [](Bytes& b) { b.push_back(0); });
  expect_data_error("bomb.gz", "more than the expected 9 bytes", [&] { gunzip("bomb.gz", good, 9); });
  CHECK(gunzip("twice.gz",
               [&] {
                 Bytes b = good;
                 b.insert(b.end(), good.begin(), good.end());
                 return b;
               }())
            .size() == 36);
}

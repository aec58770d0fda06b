// .npy and .npz: golden files, round trips, and damage.
#include "data/npy.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "data/npz.h"
#include "tests/data/expect_data_error.h"
#include "tests/scratch_folder.h"
#include "tests/golden.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

std::vector<double> as_doubles(const Tensor& tensor) {
  std::vector<double> values;
  dispatch_all(tensor.dtype(), [&]<typename T>() {
    for (std::int64_t i = 0; i < tensor.numel(); ++i)
      values.push_back(static_cast<double>(static_cast<compute_t<T>>(tensor.data<T>()[i])));
  });
  return values;
}

/// A version 1 file with the given header text and `data_bytes` zeros.
Bytes npy_with(const std::string& header, std::size_t data_bytes) {
  Bytes bytes = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
  bytes.push_back(static_cast<std::uint8_t>(header.size() & 255));
  bytes.push_back(static_cast<std::uint8_t>(header.size() >> 8));
  bytes.insert(bytes.end(), header.begin(), header.end());
  bytes.resize(bytes.size() + data_bytes);
  return bytes;
}

}  // namespace

TEST_CASE("npy: golden files") {
  int seen = 0;
  const auto manifest = read_json(fixture_path("io/manifest.json"));
  for (const auto& entry : manifest.at("files")) {
    const std::string file = entry.at("file");
    if (!file.starts_with("npy/")) continue;
    CAPTURE(file);
    const NpyArray array = read_npy(fixture_path("io/" + file));
    CHECK(array.values.shape() == Shape(entry.at("shape").get<std::vector<std::int64_t>>()));
    const auto values = as_doubles(array.values);
    ++seen;
    if (entry.contains("sum")) {
      double sum = 0;
      for (const double v : values) sum += v;
      CHECK(sum == entry.at("sum").get<double>());
      CHECK(array.file_type == entry.at("dtype").get<std::string>());
    }
    if (entry.contains("value")) CHECK(values.at(0) == entry.at("value").get<double>());
    if (file == "npy/bool.npy") {
      for (std::size_t i = 0; i < 24; ++i) CHECK(values[i] == static_cast<double>(i % 2));
    } else if (values.size() == 24) {
      const bool shifted = std::abs(values[0]) == 5;  // signed types hold arange(24) - 5
      for (std::size_t i = 0; i < 24; ++i) CHECK(values[i] == static_cast<double>(i) - (shifted ? 5 : 0));
    }
  }
  CHECK(seen == 19);
}

TEST_CASE("npy: half precision covers zeros, subnormals, infinities and NaN") {
  Bytes bytes = npy_with("{'descr': '<f2', 'fortran_order': False, 'shape': (6,), }", 12);
  const std::uint16_t halves[] = {0x8000, 0x0001, 0x7BFF, 0xFC00, 0x7E00, 0x3555};
  for (std::size_t i = 0; i < 6; ++i) {
    bytes[bytes.size() - 12 + 2 * i] = static_cast<std::uint8_t>(halves[i] & 255);
    bytes[bytes.size() - 11 + 2 * i] = static_cast<std::uint8_t>(halves[i] >> 8);
  }
  const auto v = parse_npy("h", bytes).values.to_vector<float>();
  CHECK((v[0] == 0 && std::signbit(v[0])));
  CHECK(v[1] == 0x1p-24f);
  CHECK(v[2] == 65504.0f);
  CHECK(v[3] == -INFINITY);
  CHECK(std::isnan(v[4]));
  CHECK(v[5] == 0.333251953125f);
}

TEST_CASE("npy: written arrays are read back, and the data are aligned") {
  ScratchFolder folder;
  const Tensor arrays[] = {Tensor::from(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3}),
                           Tensor::from(std::vector<std::uint8_t>{1, 255}, {2}),
                           Tensor::from(std::vector<std::int64_t>{-1, 1LL << 60}, {1, 2, 1}),
                           Tensor::from(std::vector<std::int32_t>{-7}, {}),
                           Tensor::from(std::vector<double>{}, {0, 4})};
  for (const Tensor& array : arrays) {
    write_npy(folder / "a.npy", array);
    const Bytes bytes = read_file_bytes(folder / "a.npy");
    CHECK((bytes.size() - array.bytes()) % 64 == 0);
    const Tensor back = read_npy(folder / "a.npy").values;
    CHECK(back.shape() == array.shape());
    CHECK(back.dtype() == array.dtype());
    CHECK(as_doubles(back) == as_doubles(array));
  }
}

TEST_CASE("npy: bad input") {
  struct Case {
    const char* header;
    std::size_t data_bytes;
    const char* message;
  };
  const Case cases[] = {
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 11, "do not fill the shape"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 13, "do not fill the shape"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 0,
       "do not fill the shape"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 288230376151711743, 288230376151711743), }", 0,
       "do not fill"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999999,), }", 0, "too large"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", 0, "non-negative"},
      {"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", 8, "element type '|O' is not supported"},
      {"{'descr': '<U4', 'fortran_order': False, 'shape': (1,), }", 16, "is not supported"},
      {"{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", 8, "is not supported"},
      {"{'descr': '|f4', 'fortran_order': False, 'shape': (1,), }", 4, "is not supported"},
      {"{'descr': '', 'fortran_order': False, 'shape': (1,), }", 4, "is not supported"},
      {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 4, "structured arrays"},
      {"{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,), }", 4, "True or False"},
      {"{'descr': '<f4', 'fortran_order': False}", 4, "needs descr, fortran_order and shape"},
      {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}", 4, "unexpected key"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", 4, "unexpected key"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } junk", 4, "text after"},
      {"{'descr': '<f4", 4, "unfinished string"},
      {"", 4, "not a dictionary"},
      {"[1, 2]", 4, "not a dictionary"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.header);
    expect_data_error("bad.npy", c.message, [&] { parse_npy("bad.npy", npy_with(c.header, c.data_bytes)); });
  }
  expect_data_error("bad.npy", "not a .npy file", [&] { parse_npy("bad.npy", Bytes{1, 2, 3}); });
  Bytes version = npy_with("{}", 0);
  version[6] = 9;
  expect_data_error("bad.npy", "version 9 is unknown", [&] { parse_npy("bad.npy", version); });
  Bytes longer = npy_with("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", 4);
  longer[9] = 255;
  expect_data_error("bad.npy", "does not fit the file", [&] { parse_npy("bad.npy", longer); });
  Bytes huge = npy_with("{'descr': '<u8', 'fortran_order': False, 'shape': (1,), }", 8);
  huge.back() = 0xFF;
  expect_data_error("bad.npy", "above 2^63", [&] { parse_npy("bad.npy", huge); });
  CHECK_THROWS_AS(encode_npy(Tensor::zeros({2}, Dtype::bf16)), ShapeError);
}

TEST_CASE("npz: golden archives, stored and deflated") {
  for (const char* file : {"bundle_stored.npz", "bundle_deflated.npz"}) {
    CAPTURE(file);
    const auto arrays = read_npz(fixture_path(std::string("io/") + file));
    REQUIRE(arrays.size() == 4);
    for (const auto& pair : arrays) {
      const std::string& name = pair.first;
      const NpyArray& array = pair.second;
      CAPTURE(name);
      if (name == "images") {
        CHECK(array.values.shape() == Shape({5, 32, 32, 3}));
        const auto expected =
            read_npy(fixture_path("io/cifar_images_u8_nhwc.npy")).values.to_vector<std::uint8_t>();
        const auto got = array.values.to_vector<std::uint8_t>();
        CHECK(std::equal(got.begin(), got.end(), expected.begin()));
      } else if (name == "labels") {
        CHECK(array.values.to_vector<std::int64_t>() == std::vector<std::int64_t>{0, 3, 6, 9, 2});
      } else if (name == "f32") {
        const auto values = array.values.to_vector<float>();
        for (std::size_t i = 0; i < 12; ++i) CHECK(values[i] == static_cast<float>(i) / 7.0f);
      } else {
        CHECK(name == "scalar");
        CHECK(array.values.shape() == Shape());
      }
    }
  }
}

TEST_CASE("npz: bad input") {
  const Bytes good = read_file_bytes(fixture_path("io/bundle_deflated.npz"));
  const std::size_t end = good.size() - 22;
  const std::size_t directory = little_endian_32(&good[end + 16]);
  const auto refuse = [&](const char* message, auto change) {
    Bytes bytes = good;
    change(bytes);
    expect_data_error("bad.npz", message, [&] { parse_npz("bad.npz", bytes); });
  };
  refuse("too short", [](Bytes& b) { b.resize(5); });
  refuse("no end record", [](Bytes& b) { b.resize(b.size() - 1); });
  refuse("fewer entries", [&](Bytes& b) { b[end + 10] = 200; });
  refuse("lies outside", [&](Bytes& b) { b[end + 19] = 0x7F; });
  refuse("zip64 locator is missing", [&](Bytes& b) { b[end + 10] = b[end + 11] = 0xFF; });
  refuse("wrong signature", [&](Bytes& b) { b[directory] ^= 1; });
  refuse("is encrypted", [&](Bytes& b) { b[directory + 8] |= 1; });
  refuse("compression method 12", [&](Bytes& b) { b[directory + 10] = 12; });
  refuse("checksum is wrong", [&](Bytes& b) { b[directory + 16] ^= 1; });
  refuse("expected", [&](Bytes& b) { b[directory + 24] ^= 1; });        // unpacked size
  refuse("lies outside", [&](Bytes& b) { b[directory + 45] = 0x7F; });  // place of the local header
  refuse("expected 4278124286",
         [&](Bytes& b) { std::fill_n(b.begin() + static_cast<std::ptrdiff_t>(directory) + 24, 4, 0xFE); });
  refuse("damaged", [](Bytes& b) {
    for (std::size_t i = 150; i < 400; ++i) b[i] ^= 0x55;
  });
  expect_data_error("nowhere.npz", "no such file", [] { read_npz("/nowhere.npz"); });
}

// Recorded corruptions: images, draws and results of the benchmarks' own generators.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "augment/image.h"
#include "engine/io/safetensors.h"
#include "tests/golden.h"

namespace noisymix::testing {

struct GoldenCorruption {
  std::string name;
  int severity = 0;
  Image input, expected;  ///< for photographs: `expected` is the crop of rows and columns 80..143
  std::vector<float> before_truncation;    ///< 0..255, in the layout of `expected`; empty where not recorded
  std::vector<std::vector<double>> draws;  ///< in call order, equal-shaped small ones stacked
  nlohmann::json entry;                    ///< of the manifest
};

inline std::vector<double> as_doubles(const Tensor& t) {
  std::vector<double> values(static_cast<std::size_t>(t.numel()));
  const auto copy = [&](auto zero) {
    const auto* data = t.data<decltype(zero)>();
    std::transform(data, data + values.size(), values.begin(), [](auto v) { return static_cast<double>(v); });
  };
  switch (t.dtype()) {
    case Dtype::f64:
      copy(double{});
      break;
    case Dtype::f32:
      copy(float{});
      break;
    case Dtype::i64:
      copy(std::int64_t{});
      break;
    case Dtype::i32:
      copy(std::int32_t{});
      break;
    case Dtype::u8:
      copy(std::uint8_t{});
      break;
    default:
      FAIL("unexpected type of a recorded array");
  }
  return values;
}

/// Image i of a u8 array [n, h, w, 3], or the whole of [h, w, 3] with i = -1.
inline Image golden_image(const Tensor& t, int i) {
  const std::size_t first = i < 0 ? 0 : 1;
  const auto side = [&](std::size_t axis) { return static_cast<int>(t.dim(static_cast<int>(first + axis))); };
  Image image(side(0), side(1), side(2));
  const std::uint8_t* data =
      t.data<std::uint8_t>() + (i < 0 ? 0 : static_cast<std::size_t>(i) * image.pixels.size());
  std::copy_n(data, image.pixels.size(), image.pixels.begin());
  return image;
}

/// Every recorded 32 x 32 case of a corruption.
inline std::vector<GoldenCorruption> golden_small(const std::string& corruption) {
  static const auto manifest = read_json(fixture_path("corruptions/manifest.json"));
  static const Safetensors results = read_safetensors(fixture_path("corruptions/cifar_c.safetensors"));
  static const Safetensors draws = read_safetensors(fixture_path("corruptions/cifar_c_draws.safetensors"));
  std::vector<GoldenCorruption> cases;
  for (const auto& entry : manifest["cifar_c"]["cases"]) {
    if (entry["corruption"] != corruption) continue;
    GoldenCorruption golden{entry["name"], entry["severity"], {}, {}, {}, {}, entry};
    const int image = entry["image"];
    const std::string place = corruption + "_s" + std::to_string(golden.severity);
    golden.input = golden_image(results.at("images"), image);
    golden.expected = golden_image(results.at(place + "/u8"), image);
    if (results.find(place + "/f32") != nullptr) {
      const float* values = results.at(place + "/f32").data<float>() +
                            static_cast<std::size_t>(image) * golden.input.pixels.size();
      golden.before_truncation.assign(values, values + golden.input.pixels.size());
    }
    for (const auto& draw : entry["draws"]) golden.draws.push_back(as_doubles(draws.at(draw["tensor"])));
    cases.push_back(std::move(golden));
  }
  REQUIRE(!cases.empty());
  return cases;
}

/// Draws of the 224 x 224 cases come from the hash formula, but for stored Poisson draws.
inline std::vector<double> hashed_draws(const nlohmann::json& draw, const Safetensors& stored) {
  if (draw["source"] == "stored") return as_doubles(stored.at(draw["tensor"]));
  const auto stream = draw["stream"].get<std::uint32_t>();
  std::size_t count = 1;
  if (draw.contains("shape")) {
    for (const auto& side : draw["shape"]) count *= side.get<std::size_t>();
  } else {
    count = 2 * draw["calls"].get<std::size_t>();  // glass blur: dx, dy of every call
  }
  std::vector<double> values(count);
  const std::string function = draw["fn"];
  for (std::size_t i = 0; i < count; ++i) {
    const auto e = static_cast<std::uint32_t>(i);
    if (function == "normal")
      values[i] = draw["loc"].get<double>() + draw["scale"].get<double>() * golden_n(stream, e);
    if (function == "uniform")
      values[i] = draw["low"].get<double>() +
                  (draw["high"].get<double>() - draw["low"].get<double>()) * golden_u01(stream, e);
    if (function == "bernoulli") values[i] = golden_u01(stream, e) <= draw["p"].get<double>() ? 1 : 0;
    if (function == "randint") {
      const double low = draw.value("low", -1.0), high = draw.value("high", 1.0);
      values[i] = low + std::floor(golden_u01(stream, e) * (high - low));
    }
  }
  return values;
}

/// Every recorded 224 x 224 case; `expected` and `before_truncation` (16 x 16) start at row and column 80.
inline std::vector<GoldenCorruption> golden_large(const std::string& corruption) {
  static const auto manifest = read_json(fixture_path("corruptions/manifest.json"));
  static const Safetensors results = read_safetensors(fixture_path("corruptions/imagenet_c.safetensors"));
  std::vector<GoldenCorruption> cases;
  for (const auto& entry : manifest["imagenet_c"]["cases"]) {
    if (entry["corruption"] != corruption) continue;
    GoldenCorruption golden{entry["name"], entry["severity"], {}, {}, {}, {}, entry};
    golden.input = golden_image(results.at("images"), entry["image"].get<int>());
    golden.expected = golden_image(results.at(golden.name + "/crop_u8"), -1);
    if (results.find(golden.name + "/crop_f32_16") != nullptr) {
      const Tensor values = results.at(golden.name + "/crop_f32_16");
      golden.before_truncation.assign(values.data<float>(), values.data<float>() + values.numel());
    }
    for (const auto& draw : entry["draws"]) golden.draws.push_back(hashed_draws(draw, results));
    cases.push_back(std::move(golden));
  }
  REQUIRE(!cases.empty());
  return cases;
}

/// Rows and columns begin .. begin + side - 1.
inline Image crop_of(const Image& image, int begin, int side) {
  Image crop(side, side, image.channels);
  const auto length = static_cast<std::size_t>(side * image.channels);
  for (int y = 0; y < side; ++y)
    std::copy_n(image.row(begin + y) + begin * image.channels, length, crop.row(y));
  return crop;
}

/// How two images differ.
struct Difference {
  int largest = 0;   ///< in grey levels
  double share = 0;  ///< of the bytes that differ at all
};
inline Difference difference(const Image& a, const Image& b) {
  REQUIRE(a.height == b.height);
  REQUIRE(a.width == b.width);
  REQUIRE(a.channels == b.channels);
  Difference result;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) {
    const int d = std::abs(int{a.pixels[i]} - int{b.pixels[i]});
    result.largest = std::max(result.largest, d);
    result.share += d > 0 ? 1 : 0;
  }
  result.share /= static_cast<double>(a.pixels.size());
  return result;
}

}  // namespace noisymix::testing

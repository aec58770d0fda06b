// Hue, saturation and value against recorded values of another library.
#include "augment/filters/hsv.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tests/augment/corruptions/golden_case.h"

using namespace noisymix;

namespace {

template <class T>
std::vector<T> converted(const std::vector<T>& in, bool to_hsv) {
  std::vector<T> out(in.size());
  for (std::size_t i = 0; i < in.size(); i += 3) {
    if (to_hsv)
      hsv_of_rgb(in[i], in[i + 1], in[i + 2], out[i], out[i + 1], out[i + 2]);
    else
      rgb_of_hsv(in[i], in[i + 1], in[i + 2], out[i], out[i + 1], out[i + 2]);
  }
  return out;
}

}  // namespace

TEST_CASE("hsv: recorded conversions") {
  const auto manifest = testing::read_json(testing::fixture_path("corruptions/manifest.json"));
  const Safetensors file = read_safetensors(testing::fixture_path("corruptions/substeps.safetensors"));
  int seen = 0;
  for (const auto& entry : manifest["substeps"]["cases"]) {
    const bool to_hsv = entry["op"] == "rgb2hsv";
    if (!to_hsv && entry["op"] != "hsv2rgb") continue;
    const std::string name = entry["output"], input = entry["input"];
    CAPTURE(name);
    const auto in = testing::as_doubles(file.at(input)), expected = testing::as_doubles(file.at(name));
    const auto out = converted(in, to_hsv);
    double largest = 0;
    for (std::size_t i = 0; i < out.size(); ++i) largest = std::max(largest, std::abs(out[i] - expected[i]));
    CHECK(largest == 0);
    ++seen;
  }
  CHECK(seen == 3);
}

TEST_CASE("hsv: there and back, for colours on a grid, in double and float") {
  std::vector<double> in;
  for (int r = 0; r <= 255; r += 15)
    for (int g = 0; g <= 255; g += 15)
      for (int b = 0; b <= 255; b += 15) in.insert(in.end(), {r / 255.0, g / 255.0, b / 255.0});
  const auto hsv = converted(in, true), out = converted(hsv, false);
  const std::vector<float> single(in.begin(), in.end());
  const auto single_out = converted(converted(single, true), false);
  double largest = 0;
  float single_largest = 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    REQUIRE(hsv[i] >= 0);
    REQUIRE(hsv[i] <= 1);
    if (i % 3 == 0) REQUIRE(hsv[i] < 1);
    largest = std::max(largest, std::abs(out[i] - in[i]));
    single_largest = std::max(single_largest, std::abs(single_out[i] - single[i]));
  }
  CHECK(largest < 1e-15);
  CHECK(single_largest < 1e-6f);
}

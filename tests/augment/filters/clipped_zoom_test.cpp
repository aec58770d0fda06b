// Zoom against recorded values of another library.
#include "augment/filters/clipped_zoom.h"

#include <doctest/doctest.h>

#include <numeric>
#include <string>
#include <vector>

#include "engine/error.h"
#include "tests/augment/corruptions/golden_case.h"

using namespace noisymix;

namespace {

double largest_difference(const auto& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  for (std::size_t i = 0; i < b.size(); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - b[i]));
  return largest;
}

}  // namespace

TEST_CASE("clipped zoom: golden images and layers") {
  const auto manifest = testing::read_json(testing::fixture_path("corruptions/manifest.json"));
  const Safetensors file = read_safetensors(testing::fixture_path("corruptions/substeps.safetensors"));
  Scratch scratch;
  int seen = 0;
  for (const auto& entry : manifest["substeps"]["cases"]) {
    if (entry["op"] != "clipped_zoom") continue;
    const std::string name = entry["output"], input = entry["input"];
    CAPTURE(name);
    const std::vector<double> in = testing::as_doubles(file.at(input));
    const Tensor expected = file.at(name);
    const int height = static_cast<int>(expected.dim(0)), width = static_cast<int>(expected.dim(1)),
              channels = static_cast<int>(expected.dim(2));
    const double factor = entry["factor"];
    if (entry["dtype"] == "float32") {
      const std::vector<float> narrow(in.begin(), in.end());
      std::vector<float> out(in.size(), -1);
      clipped_zoom(narrow.data(), out.data(), height, width, channels, factor, scratch);
      CHECK(largest_difference(out, testing::as_doubles(expected)) < 1e-7);
    } else {
      std::vector<double> out(in.size(), -1);
      clipped_zoom(in.data(), out.data(), height, width, channels, factor, scratch);
      CHECK(largest_difference(out, testing::as_doubles(expected)) < 1e-14);
    }
    ++seen;
  }
  CHECK(seen == 16);
}

TEST_CASE("clipped zoom: golden stretched field") {
  const auto manifest = testing::read_json(testing::fixture_path("corruptions/manifest.json"));
  const Safetensors file = read_safetensors(testing::fixture_path("corruptions/substeps.safetensors"));
  Scratch scratch;
  int seen = 0;
  for (const auto& entry : manifest["substeps"]["cases"]) {
    if (entry["op"] != "zoom_order1") continue;
    const std::string name = entry["output"];
    CAPTURE(name);
    const Tensor field = file.at("field"), expected = file.at(name);
    const std::vector<double> in = testing::as_doubles(field);
    const Scratch::Frame frame(scratch);
    const auto axis = [&](int i) {
      const int length = static_cast<int>(expected.dim(i));
      return stretched_axis(static_cast<int>(field.dim(i)), length, 0, length, scratch);
    };
    std::vector<double> out(static_cast<std::size_t>(expected.numel()), -1);
    interpolate(in.data(), out.data(), static_cast<int>(field.dim(1)), 1, axis(0), axis(1), scratch);
    CHECK(largest_difference(out, testing::as_doubles(expected)) < 1e-14);
    ++seen;
  }
  CHECK(seen == 3);
}

TEST_CASE("clipped zoom: sizes of all kinds") {
  Scratch scratch;
  for (const auto& [height, width] : {std::pair{8, 8}, {17, 33}, {1, 5}})
    for (const double factor : {1.0, 1.01, 1.5, 7.9}) {
      CAPTURE(factor);
      std::vector<double> in(static_cast<std::size_t>(height * width)), out(in.size(), -1);
      std::iota(in.begin(), in.end(), 1);
      clipped_zoom(in.data(), out.data(), height, width, 1, factor, scratch);
      if (factor == 1) CHECK(out == in);
      // Linear interpolation stays between the smallest and the largest value.
      CHECK(*std::max_element(out.begin(), out.end()) <= in.back());
      CHECK(*std::min_element(out.begin(), out.end()) >= 0);
    }
  double value = 1, result = 0;
  CHECK_THROWS_AS(clipped_zoom(&value, &result, 1, 1, 1, 0.99, scratch), ConfigError);
}

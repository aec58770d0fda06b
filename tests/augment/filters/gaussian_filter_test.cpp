// Gaussian smoothing against recorded values of another library.
#include "augment/filters/gaussian_filter.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/augment/corruptions/golden_case.h"

using namespace noisymix;

TEST_CASE("gaussian filter: golden fields") {
  const auto manifest = testing::read_json(testing::fixture_path("corruptions/manifest.json"));
  const Safetensors file = read_safetensors(testing::fixture_path("corruptions/substeps.safetensors"));
  Scratch scratch;
  int seen = 0;
  for (const auto& entry : manifest["substeps"]["cases"]) {
    if (entry["op"] != "gaussian_filter" || entry["dtype"] != "float64") continue;
    const std::string name = entry["output"], input = entry["input"];
    CAPTURE(name);
    std::vector<double> in = testing::as_doubles(file.at(input == "field" ? "field" : "img"));
    const Tensor expected = file.at(name);
    const int channels = expected.rank() == 3 ? 3 : 1;
    if (input != "field")
      for (double& v : in) v /= 255;
    const Border border = entry["mode"] == "nearest" ? Border::nearest : Border::reflect;
    std::vector<double> out(in.size());
    gaussian_filter(in.data(), out.data(), static_cast<int>(expected.dim(0)),
                    static_cast<int>(expected.dim(1)), channels, entry["sigma"].get<double>(),
                    entry["truncate"].get<double>(), border, scratch);
    const auto values = testing::as_doubles(expected);
    double largest = 0;
    for (std::size_t i = 0; i < out.size(); ++i) largest = std::max(largest, std::abs(out[i] - values[i]));
    CHECK(largest < 1e-12);
    ++seen;
  }
  CHECK(seen > 15);
}

TEST_CASE("gaussian filter: positions outside") {
  const auto all = [](Border border) {
    std::string text;
    for (int i = -4; i < 8; ++i) text += static_cast<char>('a' + border_position(i, 4, border));
    return text;
  };
  CHECK(all(Border::nearest) == "aaaaabcddddd");
  CHECK(all(Border::reflect) == "dcbaabcddcba");
  CHECK(all(Border::mirror) == "cdcbabcdcbab");
  CHECK(border_position(-9, 1, Border::mirror) == 0);
}

// Displaced sampling against recorded values and against the definition.
#include "augment/filters/map_coordinates.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "augment/filters/gaussian_filter.h"
#include "engine/key.h"
#include "tests/augment/filters/quads.h"

using namespace noisymix;

TEST_CASE("map coordinates: recorded values") {
  const auto manifest = testing::read_json(testing::fixture_path("corruptions/manifest.json"));
  const Safetensors file = read_safetensors(testing::fixture_path("corruptions/substeps.safetensors"));
  int seen = 0;
  for (const auto& entry : manifest["substeps"]["cases"]) {
    if (entry["op"] != "map_coordinates_order1_reflect") continue;
    CAPTURE(entry["name"].get<std::string>());
    const auto in = testing::quads_of(file.at(entry["input"]));
    std::vector<float> out(in.size());
    map_coordinates(in.data(), file.at(entry["dx"]).data<float>(), file.at(entry["dy"]).data<float>(),
                    out.data(), 32, 32);
    CHECK(testing::largest_difference(out, testing::quads_of(file.at(entry["output"]))) < 4e-7);
    ++seen;
  }
  CHECK(seen == 5);
}

TEST_CASE("map coordinates: far outside and between pixels") {
  const int height = 7, width = 11;
  std::vector<float> in(4 * height * width), out(in.size()), dx(height * width), dy(dx.size());
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(Key(1).uniform(i));
  for (const double reach : {1.0, 8.0, 300.0}) {
    for (std::size_t i = 0; i < dx.size(); ++i) {
      dx[i] = static_cast<float>(reach * (2 * Key(2).uniform(i) - 1));
      dy[i] = static_cast<float>(reach * (2 * Key(3).uniform(i) - 1));
    }
    dx[0] = -1e-12f;  // the fraction rounds to 1
    map_coordinates(in.data(), dx.data(), dy.data(), out.data(), height, width);
    double largest = 0;
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        const auto at = static_cast<std::size_t>(y * width + x);
        const double py = y + static_cast<double>(dy[at]), px = x + static_cast<double>(dx[at]);
        const int top = static_cast<int>(std::floor(py)), left = static_cast<int>(std::floor(px));
        double sum = 0;
        for (int i = 0; i < 2; ++i)
          for (int j = 0; j < 2; ++j) {
            const int sy = border_position(top + i, height, Border::reflect);
            const int sx = border_position(left + j, width, Border::reflect);
            sum += (1 - std::abs(py - top - i)) * (1 - std::abs(px - left - j)) *
                   static_cast<double>(in[static_cast<std::size_t>(4 * (sy * width + sx))]);
          }
        largest = std::max(largest, std::abs(sum - static_cast<double>(out[4 * at])));
      }
    CHECK(largest < 4e-7);
  }
  dx[5] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS(map_coordinates(in.data(), dx.data(), dy.data(), out.data(), height, width));
  dx[5] = 3e6f;
  CHECK_THROWS(map_coordinates(in.data(), dx.data(), dy.data(), out.data(), height, width));
}

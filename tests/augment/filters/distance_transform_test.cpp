// Distance transform against recorded ones and the definition.
#include "augment/filters/distance_transform.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tests/augment/corruptions/golden_case.h"

using namespace noisymix;

TEST_CASE("distance transform: recorded distances, exactly") {
  const Safetensors file = read_safetensors(testing::fixture_path("corruptions/substeps.safetensors"));
  Scratch scratch;
  for (int i = 0; i < 4; ++i) {
    const std::string name = "spatter" + std::to_string(i);
    CAPTURE(name);
    const Tensor edges = file.at(name + "_canny"), expected = file.at(name + "_dist");
    std::vector<std::int32_t> out(static_cast<std::size_t>(edges.numel()));
    distance_transform(edges.data<std::uint8_t>(), static_cast<int>(edges.dim(0)),
                       static_cast<int>(edges.dim(1)), out.data(), scratch);
    for (std::size_t k = 0; k < out.size(); ++k)
      REQUIRE(static_cast<float>(out[k]) / kDistanceOne == expected.data<float>()[k]);
  }
}

TEST_CASE("distance transform: one marked pixel, none, all") {
  const int height = 17, width = 33;
  std::vector<std::uint8_t> marked(17 * 33);
  std::vector<std::int32_t> out(marked.size());
  Scratch scratch;
  distance_transform(marked.data(), height, width, out.data(), scratch);
  CHECK(std::count(out.begin(), out.end(), kDistanceFar) == 17 * 33);
  marked[5 * 33 + 20] = 1;
  distance_transform(marked.data(), height, width, out.data(), scratch);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int a = std::max(std::abs(y - 5), std::abs(x - 20)),
                b = std::min(std::abs(y - 5), std::abs(x - 20));
      // Knight's moves go as far as they can, the rest is straight or diagonal.
      const double exact = 2 * b <= a ? b * 2.1969 + (a - 2 * b) : (a - b) * 2.1969 + (2 * b - a) * 1.4;
      CHECK(out[static_cast<std::size_t>(y * 33 + x)] / 65536.0 == doctest::Approx(exact).epsilon(1e-4));
    }
  }
  std::fill(marked.begin(), marked.end(), std::uint8_t{255});
  distance_transform(marked.data(), height, width, out.data(), scratch);
  CHECK(std::count(out.begin(), out.end(), 0) == 17 * 33);
}

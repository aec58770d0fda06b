// Canny edges against recorded ones and on shapes whose edges are known.
#include "augment/filters/canny.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/augment/corruptions/golden_case.h"

using namespace noisymix;

TEST_CASE("canny: recorded edges") {
  const auto manifest = testing::read_json(testing::fixture_path("corruptions/manifest.json"));
  const Safetensors file = read_safetensors(testing::fixture_path("corruptions/substeps.safetensors"));
  Scratch scratch;
  int seen = 0;
  for (const auto& entry : manifest["substeps"]["cases"]) {
    if (entry["op"] != "Canny") continue;
    const std::string name = entry["output"];
    CAPTURE(name);
    const Tensor input = file.at(entry["input"].get<std::string>()), expected = file.at(name);
    std::vector<std::uint8_t> edges(static_cast<std::size_t>(input.numel()));
    canny_edges(input.data<std::uint8_t>(), static_cast<int>(input.dim(0)), static_cast<int>(input.dim(1)),
                entry["low"], entry["high"], edges.data(), scratch);
    CHECK(std::equal(edges.begin(), edges.end(), expected.data<std::uint8_t>()));
    ++seen;
  }
  CHECK(seen == 4);
}

TEST_CASE("canny: a step, a faint step, and nothing") {
  const int height = 17, width = 33;
  const auto edges_of_step = [&](int level) {
    std::vector<std::uint8_t> image(17 * 33), edges(image.size());
    for (std::size_t i = 0; i < image.size(); ++i)
      image[i] = i % 33 >= 10 ? static_cast<std::uint8_t>(level) : std::uint8_t{0};
    Scratch scratch;
    canny_edges(image.data(), height, width, 50, 150, edges.data(), scratch);
    return edges;
  };
  const auto edges = edges_of_step(200);
  for (std::size_t i = 0; i < edges.size(); ++i) CHECK(edges[i] == (i % 33 == 9 ? 255 : 0));
  const auto strength_of_150 = edges_of_step(37);  // 4 x 37 < 150: kept, but nowhere strong
  CHECK(std::count(strength_of_150.begin(), strength_of_150.end(), 0) == 17 * 33);
  const auto none = edges_of_step(0);
  CHECK(std::count(none.begin(), none.end(), 0) == 17 * 33);
}

TEST_CASE("canny: a weak part of an edge counts where it touches a strong one") {
  std::vector<std::uint8_t> image(32 * 32), edges(image.size());
  for (std::size_t y = 0; y < 32; ++y)
    for (std::size_t x = 16; x < 32; ++x) image[y * 32 + x] = y < 16 ? 100 : 30;
  Scratch scratch;
  canny_edges(image.data(), 32, 32, 50, 150, edges.data(), scratch);
  CHECK(edges[4 * 32 + 15] == 255);
  CHECK(edges[28 * 32 + 15] == 255);  // strength 120 only
}

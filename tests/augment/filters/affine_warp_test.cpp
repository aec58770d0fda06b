// The affine warp against recorded values of the library it follows.
#include "augment/filters/affine_warp.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/augment/corruptions/golden_case.h"
#include "tests/augment/filters/quads.h"

using namespace noisymix;

TEST_CASE("affine warp: recorded matrices and values") {
  const auto manifest = testing::read_json(testing::fixture_path("corruptions/manifest.json"));
  const Safetensors file = read_safetensors(testing::fixture_path("corruptions/substeps.safetensors"));
  Scratch scratch;
  int seen = 0;
  for (const auto& entry : manifest["substeps"]["cases"]) {
    if (entry["op"] != "cv2.warpAffine") continue;
    CAPTURE(entry["name"].get<std::string>());
    float from[3][2], to[3][2];
    const auto points = testing::as_doubles(file.at(entry["pts2"]));
    for (std::size_t i = 0; i < 6; ++i) {
      from[i / 2][i % 2] = entry["pts1"][i / 2][i % 2];
      to[i / 2][i % 2] = static_cast<float>(points[i]);
    }
    const AffineMap map = affine_through(from, to);
    const auto matrix = testing::as_doubles(file.at(entry["M"]));
    for (std::size_t i = 0; i < 6; ++i) CHECK(std::abs(map.m[i] - matrix[i]) < 1e-12);

    const auto in = testing::quads_of(file.at(entry["input"]));
    std::vector<float> out(in.size());
    affine_warp(in.data(), out.data(), 32, 32, map, Border::mirror, scratch);
    CHECK(testing::largest_difference(out, testing::quads_of(file.at(entry["output"]))) < 2e-7);
    ++seen;
  }
  CHECK(seen == 5);
}

TEST_CASE("affine warp: shifts, borders and maps that collapse") {
  Scratch scratch;
  const int height = 9, width = 13;
  std::vector<float> in(4 * height * width), out(in.size());
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i % 101) / 101;
  for (const Border border : {Border::mirror, Border::reflect, Border::nearest}) {
    // Pixel (x, y) goes to (x + 5, y - 20): the source lies far outside for some.
    affine_warp(in.data(), out.data(), height, width, {{1, 0, 5, 0, 1, -20}}, border, scratch);
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        const int sy = border_position(y + 20, height, border), sx = border_position(x - 5, width, border);
        CHECK(out[static_cast<std::size_t>(4 * (y * width + x))] ==
              in[static_cast<std::size_t>(4 * (sy * width + sx))]);
      }
  }
  affine_warp(in.data(), out.data(), height, width, {{1, 0, 0.26, 0, 1, 0}}, Border::mirror, scratch);
  const float share = 24.0f / 32;  // 1 - 0.26, to the nearest 1/32
  CHECK(out[4 * 5] == doctest::Approx(in[4 * 4] * (1 - share) + in[4 * 5] * share));
  // Nothing to invert, and an inverse beyond all coordinates: some pixel of the image.
  for (const AffineMap& map : {AffineMap{{1, 1, 0, 1, 1, 0}}, AffineMap{{1e-9, 0, 3, 0, 1e-9, 4}}}) {
    affine_warp(in.data(), out.data(), height, width, map, Border::mirror, scratch);
    for (float v : out) CHECK((v >= 0 && v < 1));
  }
  const float line[3][2] = {{0, 0}, {1, 1}, {2, 2}};
  CHECK_THROWS(affine_through(line, line));
}

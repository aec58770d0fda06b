// Plasma fractals against recorded ones.
#include "augment/filters/plasma.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/augment/corruptions/golden_case.h"

using namespace noisymix;

namespace {

/// The amounts of a recorded fractal: amplitude times draw.
std::vector<double> recorded_amounts(const nlohmann::json& draws) {
  std::vector<double> amounts;
  for (const auto& draw : draws) {
    const double low = draw["low"], high = draw["high"];
    const std::size_t count = draw["shape"][0].get<std::size_t>() * draw["shape"][1].get<std::size_t>();
    for (std::size_t i = 0; i < count; ++i) {
      const double u =
          testing::golden_u01(draw["stream"].get<std::uint32_t>(), static_cast<std::uint32_t>(i));
      amounts.push_back(high * (low + (high - low) * u));
    }
  }
  return amounts;
}

}  // namespace

TEST_CASE("plasma: recorded fractals, exactly in double") {
  const auto manifest = testing::read_json(testing::fixture_path("corruptions/manifest.json"));
  const Safetensors file = read_safetensors(testing::fixture_path("corruptions/substeps.safetensors"));
  Scratch scratch;
  int seen = 0;
  for (const auto& entry : manifest["substeps"]["cases"]) {
    if (entry["op"] != "plasma_fractal") continue;
    const std::string name = entry["output"];
    CAPTURE(name);
    const int side = entry["mapsize"];
    const auto amounts = recorded_amounts(entry["draws"]);
    const auto expected = testing::as_doubles(file.at(name));
    std::vector<double> out(expected.size());
    plasma_fractal<double>(amounts, side, out.data(), scratch);
    CHECK(out == expected);

    const std::vector<float> narrow(amounts.begin(), amounts.end());
    std::vector<float> narrow_out(expected.size());
    plasma_fractal<float>(narrow, side, narrow_out.data(), scratch);
    double largest = 0;
    for (std::size_t i = 0; i < expected.size(); ++i)
      largest = std::max(largest, std::abs(static_cast<double>(narrow_out[i]) - expected[i]));
    CHECK(largest < 1e-6);
    ++seen;
  }
  CHECK(seen == 7);
}

TEST_CASE("plasma: drawn amounts") {
  const int side = 64;
  std::vector<float> amounts(plasma_amounts(side));
  draw_plasma(Key(3), side, 2, amounts);
  std::size_t begin = 0;
  double reach = 1e4;
  for (std::size_t n = 1; n < 64; n *= 2, reach /= 4) {
    const auto level = std::span(amounts).subspan(begin, 3 * n * n);
    const auto [low, high] = std::minmax_element(level.begin(), level.end());
    CHECK(static_cast<double>(*low) >= -reach);
    CHECK(static_cast<double>(*high) < reach);
    if (n > 4) CHECK(static_cast<double>(*high) > 0.8 * reach);
    if (n > 4) CHECK(static_cast<double>(*low) < -0.8 * reach);
    begin += level.size();
  }
  CHECK(begin == amounts.size());
}

TEST_CASE("plasma: range, the smallest grid, a flat one, and bad sizes") {
  Scratch scratch;
  for (const int side : {2, 16, 128}) {
    std::vector<float> amounts(plasma_amounts(side)), out(plasma_amounts(side) + 1);
    draw_plasma(Key(5), side, 1.75, amounts);
    plasma_fractal<float>(amounts, side, out.data(), scratch);
    const auto [low, high] = std::minmax_element(out.begin(), out.end());
    CHECK(*low == 0);
    CHECK(*high == 1);
    std::fill(amounts.begin(), amounts.end(), 0.0f);
    plasma_fractal<float>(amounts, side, out.data(), scratch);
    CHECK(std::count(out.begin(), out.end(), 0.0f) == static_cast<std::ptrdiff_t>(out.size()));
  }
  std::vector<float> amounts(35), out(36);
  CHECK_THROWS_AS(plasma_fractal<float>(amounts, 6, out.data(), scratch), Error);
  CHECK_THROWS_AS(plasma_fractal<float>(amounts, 8, out.data(), scratch), Error);
  CHECK_THROWS_AS(draw_plasma(Key(1), 8, 2, amounts), Error);
}

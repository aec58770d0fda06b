// Motion blur against recorded bytes of another library.
#include "augment/filters/motion_filter.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "engine/error.h"
#include "tests/augment/corruptions/golden_case.h"

using namespace noisymix;

TEST_CASE("motion filter: golden bytes") {
  const auto manifest = testing::read_json(testing::fixture_path("corruptions/manifest.json"));
  const Safetensors file = read_safetensors(testing::fixture_path("corruptions/substeps.safetensors"));
  Scratch scratch;
  int seen = 0;
  for (const auto& entry : manifest["substeps"]["cases"]) {
    if (entry["op"] != "motion_blur" || entry["radius"] == 0) continue;
    const std::string name = entry["output"];
    CAPTURE(name);
    const Tensor in = file.at(entry["input"].get<std::string>()), expected = file.at(name);
    std::vector<std::uint8_t> out(static_cast<std::size_t>(in.numel()));
    motion_filter(in.data<std::uint8_t>(), out.data(), static_cast<int>(in.dim(0)),
                  static_cast<int>(in.dim(1)), in.rank() == 3 ? 3 : 1, entry["radius"], entry["sigma"],
                  entry["angle_degrees"], scratch);
    CHECK(std::equal(out.begin(), out.end(), expected.data<std::uint8_t>()));
    ++seen;
  }
  CHECK(seen == 75);
}

TEST_CASE("motion filter: the kernel points to one side") {
  Scratch scratch;
  const auto taps = motion_blur_kernel(2, 1, 90, scratch);
  REQUIRE(taps.size() == 5);
  double total = 0;
  for (std::size_t i = 0; i < taps.size(); ++i) {
    CHECK(taps[i].column == 0);
    CHECK(taps[i].row == static_cast<int>(i));
    CHECK(taps[i].weight / taps[0].weight == doctest::Approx(std::exp(-0.5 * static_cast<double>(i * i))));
    total += taps[i].weight;
  }
  CHECK(total == doctest::Approx(1));
  CHECK_THROWS_AS(motion_blur_kernel(0, 1, 0, scratch), ConfigError);
  CHECK_THROWS_AS(motion_blur_kernel(1, 0, 0, scratch), ConfigError);
}

TEST_CASE("motion filter: in place, and wider than the image") {
  Scratch scratch;
  for (const int channels : {1, 3}) {
    std::vector<std::uint8_t> in(static_cast<std::size_t>(8 * 9 * channels)), out(in.size());
    for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<std::uint8_t>(i * 37);
    motion_filter(in.data(), out.data(), 8, 9, channels, 20, 15, -100, scratch);
    CHECK(out != in);
    motion_filter(in.data(), in.data(), 8, 9, channels, 20, 15, -100, scratch);
    CHECK(out == in);
  }
}

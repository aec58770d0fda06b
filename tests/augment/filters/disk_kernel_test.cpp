// The disk of a defocused lens, and correlation with it, against recorded values of another library.
#include "augment/filters/disk_kernel.h"

#include <doctest/doctest.h>

#include <numeric>
#include <string>
#include <vector>

#include "augment/filters/unit_values.h"
#include "engine/error.h"
#include "tests/augment/corruptions/golden_case.h"

using namespace noisymix;

TEST_CASE("disk kernel: golden kernels and correlations") {
  const auto manifest = testing::read_json(testing::fixture_path("corruptions/manifest.json"));
  const Safetensors file = read_safetensors(testing::fixture_path("corruptions/substeps.safetensors"));
  const Tensor image = file.at("img");
  Scratch scratch;
  int seen = 0;
  for (const auto& entry : manifest["substeps"]["cases"]) {
    if (entry["op"] != "disk_kernel") continue;
    const std::string name = entry["output"];
    CAPTURE(name);
    const Scratch::Frame frame(scratch);
    const double radius = entry["radius"], alias = entry["alias_blur"];
    const auto kernel = disk_kernel(radius, alias, scratch);
    const auto expected = testing::as_doubles(file.at(name));
    REQUIRE(kernel.size() == expected.size());
    double largest = 0;
    for (std::size_t i = 0; i < kernel.size(); ++i)
      largest = std::max(largest, std::abs(static_cast<double>(kernel[i]) - expected[i]));
    CHECK(largest < 2e-9);  // one unit in the last place

    std::vector<double> out(static_cast<std::size_t>(image.numel()));
    sum_taps(image.data<std::uint8_t>(), 32, 32, 3, unit_table(), disk_taps(radius, alias, scratch),
             Border::mirror, out.data(), scratch);
    const auto filtered = testing::as_doubles(file.at("disk_filter_" + name.substr(5)));
    REQUIRE(filtered.size() == out.size());
    largest = 0;
    for (std::size_t i = 0; i < out.size(); ++i) largest = std::max(largest, std::abs(out[i] - filtered[i]));
    CHECK(largest < 3e-8);
    ++seen;
  }
  CHECK(seen == 10);
}

TEST_CASE("disk kernel: sizes and mistakes") {
  Scratch scratch;
  CHECK(disk_kernel_side(0.3) == 17);
  CHECK(disk_kernel_side(8) == 17);
  CHECK(disk_kernel_side(10) == 21);
  CHECK(disk_taps(1, 0.1, scratch).size() == 5);  // a cross
  for (const double radius : {0.3, 2.5, 6.0}) {
    double total = 0;
    for (const auto& tap : disk_taps(radius, 0.5, scratch)) total += tap.weight;
    CHECK(total == doctest::Approx(1));
  }
  CHECK_THROWS_AS(disk_kernel(0, 1, scratch), ConfigError);
  CHECK_THROWS_AS(disk_kernel(1, 0, scratch), ConfigError);
}

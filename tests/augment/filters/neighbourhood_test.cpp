// 3 x 3 means and filters, equalisation: against recorded values and plain arithmetic.
#include "augment/filters/neighbourhood.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "augment/filters/distance_transform.h"
#include "augment/filters/gaussian_filter.h"
#include "tests/augment/corruptions/golden_case.h"

using namespace noisymix;

namespace {

constexpr int kWeights[9] = {-2, -1, 0, -1, 1, 1, 0, 1, 2};

std::vector<std::uint8_t> bytes_of(const Tensor& t) {
  const auto* data = t.data<std::uint8_t>();
  return {data, data + t.numel()};
}

}  // namespace

TEST_CASE("neighbourhood: recorded steps, exactly") {
  const Safetensors file = read_safetensors(testing::fixture_path("corruptions/substeps.safetensors"));
  Scratch scratch;
  for (int i = 0; i < 4; ++i) {
    const std::string name = "spatter" + std::to_string(i);
    CAPTURE(name);
    const Tensor cut = file.at(name + "_trunc"), last = file.at(name + "_blur2");
    const int height = static_cast<int>(cut.dim(0)), width = static_cast<int>(cut.dim(1));
    std::vector<std::int32_t> distances(static_cast<std::size_t>(cut.numel()));
    std::transform(cut.data<float>(), cut.data<float>() + cut.numel(), distances.begin(),
                   [](float v) { return static_cast<std::int32_t>(v * kDistanceOne); });
    std::vector<std::uint8_t> a(distances.size()), b(distances.size());
    mean3x3_truncated(distances.data(), height, width, a.data(), scratch);
    CHECK(a == bytes_of(file.at(name + "_blur_u8")));
    equalize_histogram(a.data(), static_cast<int>(a.size()));
    CHECK(a == bytes_of(file.at(name + "_equalize")));
    correlate3x3(a.data(), height, width, kWeights, b.data(), scratch);
    CHECK(b == bytes_of(file.at(name + "_filter")));
    mean3x3_rounded(b.data(), height, width, a.data(), scratch);
    CHECK(std::equal(a.begin(), a.end(), last.data<float>(),
                     [](std::uint8_t v, float expected) { return static_cast<float>(v) == expected; }));
  }
}

TEST_CASE("neighbourhood: odd sizes against the definition") {
  const int height = 17, width = 33;
  std::vector<std::uint8_t> in(17 * 33), out(in.size());
  for (std::size_t i = 0; i < in.size(); ++i)
    in[i] = static_cast<std::uint8_t>(testing::golden_hash32(1, static_cast<std::uint32_t>(i)));
  const auto sum_at = [&](int y, int x, const int* weights) {
    int sum = 0;
    for (int j = -1; j <= 1; ++j)
      for (int i = -1; i <= 1; ++i)
        sum +=
            *weights++ * in[static_cast<std::size_t>(border_position(y + j, height, Border::mirror) * width +
                                                     border_position(x + i, width, Border::mirror))];
    return sum;
  };
  const int ones[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
  std::vector<std::int32_t> fine(in.begin(), in.end());
  for (std::int32_t& v : fine) v *= 65536;
  std::vector<std::uint8_t> cut(in.size()), rounded(in.size());
  Scratch scratch;
  mean3x3_truncated(fine.data(), height, width, cut.data(), scratch);
  mean3x3_rounded(in.data(), height, width, rounded.data(), scratch);
  correlate3x3(in.data(), height, width, kWeights, out.data(), scratch);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const auto i = static_cast<std::size_t>(y * width + x);
      CHECK(cut[i] == sum_at(y, x, ones) / 9);
      CHECK(rounded[i] == static_cast<int>(sum_at(y, x, ones) / 9.0 + 0.5));
      CHECK(out[i] == std::clamp(sum_at(y, x, kWeights), 0, 255));
    }
  }
}

TEST_CASE("neighbourhood: equalisation of few levels") {
  std::vector<std::uint8_t> flat(100, 7);
  equalize_histogram(flat.data(), 100);
  CHECK(std::count(flat.begin(), flat.end(), 7) == 100);
  std::vector<std::uint8_t> three = {3, 3, 4, 9, 9, 9};
  equalize_histogram(three.data(), 6);
  CHECK(three == std::vector<std::uint8_t>{0, 0, 64, 255, 255, 255});  // 255 / 4 = 63.75
  std::vector<std::uint8_t> all(256);
  std::iota(all.begin(), all.end(), std::uint8_t{0});
  auto same = all;
  equalize_histogram(same.data(), 256);
  CHECK(same == all);
}

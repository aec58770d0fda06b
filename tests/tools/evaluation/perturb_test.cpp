// White noise and salt & pepper: law, determinism, which elements change.
#include "tools/evaluation/perturb.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace noisymix;

namespace {

Tensor ramp(const Shape& shape) {
  std::vector<float> values(static_cast<std::size_t>(shape.numel()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 97) / 97;
  return Tensor::from(values, shape);
}

}  // namespace

TEST_CASE("perturb: white noise has the asked deviation and does not depend on the batches") {
  const Tensor x = ramp({8, 16, 16, 3});
  const std::vector<float> before = x.to_vector<float>();
  const std::vector<float> after = add_white_noise(x, 0.3, Key(5), 0).to_vector<float>();
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < after.size(); ++i) {
    const double noise = after[i] - before[i];
    sum += noise;
    squares += noise * noise;
  }
  const auto n = static_cast<double>(after.size());
  CHECK(std::abs(sum / n) < 4 * 0.3 / std::sqrt(n));
  CHECK(std::sqrt(squares / n) == doctest::Approx(0.3).epsilon(0.03));
  const std::vector<float> tail = add_white_noise(x.rows(3, 8), 0.3, Key(5), 3).to_vector<float>();
  CHECK(std::equal(tail.begin(), tail.end(), after.begin() + 3 * 16 * 16 * 3));
  CHECK(x.to_vector<float>() == before);
  CHECK(add_white_noise(ramp({4, 2}), 0, Key(1), 0).to_vector<float>() == ramp({4, 2}).to_vector<float>());
}

TEST_CASE("perturb: salt & pepper") {
  const Tensor x = ramp({4, 32, 32, 3});
  for (const SaltPepperChannels channels : {SaltPepperChannels::red, SaltPepperChannels::all}) {
    const std::vector<float> before = x.to_vector<float>();
    const std::vector<float> after = add_salt_pepper(x, 0.1, channels, Key(5), 0).to_vector<float>();
    for (std::size_t image = 0; image < 4; ++image) {
      for (std::size_t c = 0; c < 3; ++c) {
        float low = 2, high = -2;
        std::int64_t lows = 0, highs = 0, others = 0;
        for (std::size_t p = 0; p < 1024; ++p) low = std::min(low, before[(image * 1024 + p) * 3 + c]);
        for (std::size_t p = 0; p < 1024; ++p) high = std::max(high, before[(image * 1024 + p) * 3 + c]);
        for (std::size_t p = 0; p < 1024; ++p) {
          const std::size_t i = (image * 1024 + p) * 3 + c;
          if (after[i] == before[i]) continue;
          if (after[i] == low)
            ++lows;
          else if (after[i] == high)
            ++highs;
          else
            ++others;
        }
        CHECK(others == 0);
        const bool touched = c == 0 || channels == SaltPepperChannels::all;
        // ceil(0.1 * 1024 / 2) = 52 pixels each; some already had the value, some low ones are covered by
        // high ones.
        CHECK((touched ? highs >= 48 && highs <= 52 : highs == 0));
        CHECK((touched ? lows >= 40 && lows <= 52 : lows == 0));
      }
    }
  }
  CHECK_THROWS_AS(add_salt_pepper(ramp({4, 2}), 0.1, SaltPepperChannels::red, Key(1), 0), ShapeError);
  CHECK_THROWS_AS(add_salt_pepper(x, 1.5, SaltPepperChannels::red, Key(1), 0), ShapeError);
  CHECK(add_salt_pepper(x, 0, SaltPepperChannels::all, Key(1), 0).to_vector<float>() == x.to_vector<float>());
}

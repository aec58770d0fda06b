#include "tools/evaluation/perturb.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/cpu/parallel.h"
#include "engine/error.h"

namespace noisymix {
namespace {

// Salt & pepper on one channel of one image; pixels are `channels` floats apart.
void salt_pepper_channel(float* values, std::int64_t pixels, std::int64_t channels,
                         const std::vector<std::int64_t>& low, const std::vector<std::int64_t>& high,
                         std::int64_t count) {
  float least = values[0], most = values[0];
  for (std::int64_t p = 0; p < pixels; ++p) {
    least = std::min(least, values[p * channels]);
    most = std::max(most, values[p * channels]);
  }
  for (std::int64_t i = 0; i < count; ++i) values[low[static_cast<std::size_t>(i)] * channels] = least;
  for (std::int64_t i = 0; i < count; ++i) values[high[static_cast<std::size_t>(i)] * channels] = most;
}

}  // namespace

Tensor add_white_noise(const Tensor& x, double sigma, Key key, std::int64_t first) {
  Tensor y = x.clone();
  const std::int64_t n = x.dim(0), size = n > 0 ? x.numel() / n : 0;
  float* values = y.mutable_data<float>();
  cpu::parallel_for(n, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const Key own = key.child(first + i);
      for (std::int64_t e = 0; e < size; ++e) {
        values[i * size + e] += static_cast<float>(sigma * own.normal(static_cast<std::uint64_t>(e)));
      }
    }
  });
  return y;
}

Tensor add_salt_pepper(const Tensor& x, double level, SaltPepperChannels channels, Key key,
                       std::int64_t first) {
  NM_CHECK(x.rank() == 4, "[salt_pepper] expects images [n, h, w, c], x has shape ", x.shape());
  NM_CHECK(level >= 0 && level <= 1, "[salt_pepper] level must be in 0 .. 1, got ", level);
  Tensor y = x.clone();
  const std::int64_t n = x.dim(0), pixels = x.dim(1) * x.dim(2), c = x.dim(3);
  const auto count =
      std::min(pixels, static_cast<std::int64_t>(std::ceil(level * static_cast<double>(pixels) / 2)));
  const std::int64_t touched = channels == SaltPepperChannels::red ? 1 : c;
  float* values = y.mutable_data<float>();
  cpu::parallel_for(pixels > 0 ? n : 0, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const Key own = key.child(first + i);
      const auto low = permutation(own.child("low"), pixels), high = permutation(own.child("high"), pixels);
      for (std::int64_t channel = 0; channel < touched; ++channel) {
        salt_pepper_channel(values + i * pixels * c + channel, pixels, c, low, high, count);
      }
    }
  });
  return y;
}

}  // namespace noisymix

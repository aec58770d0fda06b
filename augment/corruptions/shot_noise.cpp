#include "augment/corruptions/shot_noise.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "augment/corruptions/unit_range.h"
#include "augment/filters/random_fields.h"
#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {
namespace {

// Walker's method: a row has equally likely columns; a second draw stays in the column or goes to its alias.
// A column and the second draw come from one word: its first bits and its last 24.
constexpr int kMostBits = 8, kMostPhotons = 700;

// Not NM_VECTORISED: it is all look-ups, which wider vectors only take apart and put together again.
void draw_counts(const std::uint32_t* NM_RESTRICT words, const std::uint8_t* NM_RESTRICT bytes,
                 std::uint16_t* NM_RESTRICT counts, std::size_t size,
                 const std::uint32_t* NM_RESTRICT entries, const std::int32_t* NM_RESTRICT bases, int bits) {
  for (std::size_t i = 0; i < size; ++i) {
    const std::int32_t byte = bytes[i], column = static_cast<std::int32_t>(words[i] >> (32 - bits));
    const std::uint32_t entry = entries[(byte << bits) + column];
    const std::int32_t alias = static_cast<std::int32_t>(entry & 0xFFu);
    const bool stays = (words[i] & 0xFFFFFFu) < (entry >> 8);
    counts[i] = static_cast<std::uint16_t>(bases[byte] + (stays ? column : alias));
  }
}

/// The column's entry: stay with probability `share`, else take `alias`.
std::uint32_t entry_of(double share, std::size_t alias) {
  const double threshold = std::clamp(std::round(share * 0x1p24), 0.0, 0x1p24 - 1);
  return static_cast<std::uint32_t>(threshold) << 8 | static_cast<std::uint32_t>(alias);
}

/// Divides the weights, of mean 1, into columns of weight 1: a light one's rest is filled from a heavy one.
void make_aliases(std::vector<double>& weights, std::uint32_t* entries) {
  std::vector<std::size_t> light, heavy;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    entries[i] = entry_of(1, i);
    (weights[i] < 1 ? light : heavy).push_back(i);
  }
  while (!light.empty() && !heavy.empty()) {
    const std::size_t from = heavy.back(), to = light.back();
    light.pop_back();
    entries[to] = entry_of(weights[to], from);
    weights[from] -= 1 - weights[to];
    if (weights[from] < 1) {
      heavy.pop_back();
      light.push_back(from);
    }
  }
}

double value_of(double count, int photons) {
  return clip_unit(count / photons) * 255;
}

class ShotNoise final : public Corruption {
 public:
  explicit ShotNoise(int photons) : counts_(photons) {
    for (int count = 0; count <= photons; ++count)
      results_[static_cast<std::size_t>(count)] =
          static_cast<std::uint8_t>(value_of(static_cast<double>(count), photons));
  }
  void apply(const Image& image, Key key, Scratch& scratch, Image& out) const override {
    const Scratch::Frame frame(scratch);
    const auto counts = scratch.take<std::uint16_t>(image.pixels.size());
    counts_.draw(key, image.pixels, scratch, counts);
    set_shape_like(out, image);
    std::uint8_t* NM_RESTRICT to = out.pixels.data();
    for (std::size_t i = 0; i < counts.size(); ++i) to[i] = results_[counts[i]];
  }

 private:
  PhotonCounts counts_;
  std::array<std::uint8_t, kMostPhotons + 1> results_{};  ///< of every count
};

}  // namespace

PhotonCounts::PhotonCounts(int photons) : bits_(1), bases_(256) {
  NM_CHECK(photons >= 1 && photons <= kMostPhotons, "[shot_noise] photons is ", photons, ", expected 1 to ",
           kMostPhotons);
  while (bits_ < kMostBits && 1 << bits_ < photons + 1) ++bits_;
  entries_.resize(std::size_t{256} << bits_);
  std::vector<double> log_factorials(1, 0.0);
  for (int k = 1; k <= photons; ++k) log_factorials.push_back(log_factorials.back() + std::log(k));
  for (int byte = 0; byte < 256; ++byte) fill_row(byte, photons, log_factorials);
}

void PhotonCounts::fill_row(int byte, int photons, const std::vector<double>& log_factorials) {
  const double mean = byte / 255.0 * photons;
  // Where there are more counts than columns, the columns are those around the mean; the rest has less than
  // 2^-32 of the draws up to 500 photons, and 2^-23 up to 700.
  const int columns = 1 << bits_;
  const int base = std::max(0, std::min(static_cast<int>(mean) - columns / 2, photons + 1 - columns));
  bases_[static_cast<std::size_t>(byte)] = base;
  std::vector<double> weights(static_cast<std::size_t>(columns), 0.0);
  double total = 0;
  for (int k = base; k < std::min(base + columns, photons); ++k) {
    const double log_share =
        mean > 0 ? k * std::log(mean) - mean - log_factorials[static_cast<std::size_t>(k)] : 0.0;
    const double share = mean > 0 ? std::exp(log_share) : (k == 0 ? 1.0 : 0.0);
    weights[static_cast<std::size_t>(k - base)] = share * columns;
    total += share;
  }
  // `photons` or more; where the row ends before, what is missing is rounding and goes to the last column.
  weights[static_cast<std::size_t>(std::min(photons - base, columns - 1))] +=
      std::max(0.0, 1 - total) * columns;
  make_aliases(weights, entries_.data() + (static_cast<std::size_t>(byte) << bits_));
}

void PhotonCounts::draw(Key key, std::span<const std::uint8_t> bytes, Scratch& scratch,
                        std::span<std::uint16_t> counts) const {
  NM_CHECK(counts.size() == bytes.size(), "[shot_noise] ", counts.size(), " counts for ", bytes.size(),
           " bytes");
  const Scratch::Frame frame(scratch);
  const auto words = scratch.take<std::uint32_t>(bytes.size());
  fill_words(key, words);
  draw_counts(words.data(), bytes.data(), counts.data(), bytes.size(), entries_.data(), bases_.data(), bits_);
}

template <class Count>
void shot_noise(const Image& image, std::span<const Count> counts, int photons, Image& out, double* values) {
  NM_CHECK(counts.size() == image.pixels.size(), "[shot_noise] ", counts.size(), " counts for an image of ",
           image.pixels.size(), " bytes");
  set_shape_like(out, image);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double value = value_of(static_cast<double>(counts[i]), photons);
    out.pixels[i] = static_cast<std::uint8_t>(value);
    if (values != nullptr) values[i] = value;
  }
}

template void shot_noise(const Image&, std::span<const std::uint16_t>, int, Image&, double*);
template void shot_noise(const Image&, std::span<const double>, int, Image&, double*);

std::unique_ptr<Corruption> make_shot_noise(ParameterSet set, int severity) {
  return std::make_unique<ShotNoise>(constants_of(kShotNoise, set, severity, "shot_noise"));
}

}  // namespace noisymix

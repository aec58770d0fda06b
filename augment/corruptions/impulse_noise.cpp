#include "augment/corruptions/impulse_noise.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "augment/corruptions/unit_range.h"
#include "augment/filters/random_fields.h"
#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {
namespace {

/// A word below `threshold` flips; the lower half of those that do salts.
NM_VECTORISED(masks_of,
              (const std::uint32_t* NM_RESTRICT words, std::uint32_t threshold,
               std::uint8_t* NM_RESTRICT flipped, std::uint8_t* NM_RESTRICT salted, std::size_t count),
              (words, threshold, flipped, salted, count)) {
  const std::uint32_t half = threshold / 2;
  for (std::size_t i = 0; i < count; ++i) {
    flipped[i] = words[i] < threshold ? 1 : 0;
    salted[i] = words[i] < half ? 1 : 0;
  }
}

NM_VECTORISED(flip,
              (const std::uint8_t* NM_RESTRICT in, const std::uint8_t* NM_RESTRICT flipped,
               const std::uint8_t* NM_RESTRICT salted, std::uint8_t* NM_RESTRICT out, std::size_t count),
              (in, flipped, salted, out, count)) {
  for (std::size_t i = 0; i < count; ++i) {
    const int replaced = -int{flipped[i]}, white = -int{salted[i]};  // no bits or all
    out[i] = static_cast<std::uint8_t>((in[i] & ~replaced) | (white & replaced));
  }
}

class ImpulseNoise final : public Corruption {
 public:
  explicit ImpulseNoise(double amount) : amount_(amount) {}
  void apply(const Image& image, Key key, Scratch& scratch, Image& out) const override {
    const Scratch::Frame frame(scratch);
    const auto flipped = scratch.take<std::uint8_t>(image.pixels.size());
    const auto salted = scratch.take<std::uint8_t>(image.pixels.size());
    draw_impulse_noise(key, amount_, scratch, flipped, salted);
    impulse_noise(image, flipped, salted, out);
  }

 private:
  double amount_;
};

}  // namespace

void draw_impulse_noise(Key key, double amount, Scratch& scratch, std::span<std::uint8_t> flipped,
                        std::span<std::uint8_t> salted) {
  NM_CHECK(flipped.size() == salted.size(), "[impulse_noise] masks of ", flipped.size(), " and ",
           salted.size(), " entries, expected equally many");
  NM_CHECK(amount >= 0 && amount < 1, "[impulse_noise] amount is ", amount,
           ", expected 0 or more and below 1");
  const Scratch::Frame frame(scratch);
  const auto words = scratch.take<std::uint32_t>(flipped.size());
  fill_words(key, words);
  const auto threshold = static_cast<std::uint32_t>(std::min(std::round(amount * 0x1p32), 0x1p32 - 1));
  masks_of(words.data(), threshold, flipped.data(), salted.data(), words.size());
}

void impulse_noise(const Image& image, std::span<const std::uint8_t> flipped,
                   std::span<const std::uint8_t> salted, Image& out) {
  NM_CHECK(flipped.size() == image.pixels.size() && salted.size() == image.pixels.size(),
           "[impulse_noise] masks of ", flipped.size(), " and ", salted.size(), " entries for an image of ",
           image.pixels.size(), " bytes");
  set_shape_like(out, image);
  flip(image.pixels.data(), flipped.data(), salted.data(), out.pixels.data(), image.pixels.size());
}

std::unique_ptr<Corruption> make_impulse_noise(ParameterSet set, int severity) {
  return std::make_unique<ImpulseNoise>(constants_of(kImpulseNoise, set, severity, "impulse_noise"));
}

}  // namespace noisymix

#include "augment/sequences/snow_frames.h"

#include <algorithm>
#include <vector>

#include "augment/filters/clipped_zoom.h"
#include "augment/filters/motion_filter.h"
#include "augment/image_ops.h"
#include "augment/sequences/families.h"
#include "engine/cpu/vectorise.h"

namespace noisymix {
namespace {

constexpr int kFrames = 31;

NM_VECTORISED(add_snow,
              (std::uint8_t * NM_RESTRICT out, const float* NM_RESTRICT whitened,
               const double* NM_RESTRICT snow, std::size_t n),
              (out, whitened, snow, n)) {
  for (std::size_t i = 0; i < n; ++i) {
    double v = static_cast<double>(whitened[i]) + snow[i];
    v = v > 0 ? v : 0;
    v = v < 1 ? v : 1;
    out[i] = static_cast<std::uint8_t>(static_cast<std::int32_t>(v * 255));
  }
}

/// Flakes and their half turn, summed, for each of `channels` values of a pixel. The image is added to the
/// flakes first in the benchmark, which differs in the last bit only.
NM_VECTORISED(sum_with_half_turn,
              (double* NM_RESTRICT sum, const std::uint8_t* NM_RESTRICT streaks, std::size_t pixels),
              (sum, streaks, pixels)) {
  for (std::size_t i = 0; i < pixels; ++i) sum[i] = streaks[i] / 255.0 + streaks[pixels - 1 - i] / 255.0;
}

/// What does not change from frame to frame is made at the start: the flakes and the whitened image.
class SnowStream : public NumberedStream {
 public:
  SnowStream(const Image& image, std::span<const double> layer, const SnowRow& row)
      : NumberedStream(kFrames),
        row_(row),
        height_(image.height),
        width_(image.width),
        channels_(image.channels),
        whitened_(image.pixels.size()),
        flakes_(layer.size()),
        streaks_(layer.size()),
        sum_(layer.size()),
        spread_(image.pixels.size()) {
    NM_ASSERT(layer.size() * static_cast<std::size_t>(channels_) == image.pixels.size());
    make_flakes(layer);
    whiten(image);
  }

 protected:
  void write_frame(int i, Image& out) override {
    motion_filter(flakes_.data(), streaks_.data(), height_, width_, 1, row_.radius, row_.sigma, 4 * i - 150,
                  scratch_);
    sum_with_half_turn(sum_.data(), streaks_.data(), sum_.size());
    if (channels_ == 3) {
      for (std::size_t p = 0; p < sum_.size(); ++p)
        spread_[3 * p] = spread_[3 * p + 1] = spread_[3 * p + 2] = sum_[p];
    }
    set_shape(out, height_, width_, channels_);
    add_snow(out.pixels.data(), whitened_.data(), channels_ == 3 ? spread_.data() : sum_.data(),
             whitened_.size());
  }

 private:
  void make_flakes(std::span<const double> layer) {
    clipped_zoom(layer.data(), sum_.data(), height_, width_, 1, row_.zoom, scratch_);
    std::transform(sum_.begin(), sum_.end(), flakes_.begin(), [this](double flake) {
      return flake < row_.threshold ? std::uint8_t{0} : static_cast<std::uint8_t>(std::min(flake, 1.0) * 255);
    });
  }

  void whiten(const Image& image) {
    const auto mix = static_cast<float>(row_.mix), rest = static_cast<float>(1 - row_.mix);
    const auto step = static_cast<std::size_t>(channels_);
    for (std::size_t i = 0; i < whitened_.size(); i += step) {
      float unit[3] = {};
      for (std::size_t c = 0; c < step; ++c) unit[c] = static_cast<float>(image.pixels[i + c]) / 255;
      const float grey = step == 3 ? snow_grey(unit[0], unit[1], unit[2]) : unit[0];
      for (std::size_t c = 0; c < step; ++c)
        whitened_[i + c] = mix * unit[c] + rest * std::max(unit[c], grey * 1.5f + 0.5f);
    }
  }

  SnowRow row_;
  int height_, width_, channels_;
  std::vector<float> whitened_;
  std::vector<std::uint8_t> flakes_, streaks_;
  std::vector<double> sum_, spread_;
  Scratch scratch_;
};

class SnowSequence : public Sequence {
 public:
  explicit SnowSequence(const SnowRow& row) : row_(row) {}
  int frames() const override { return kFrames; }
  std::unique_ptr<FrameStream> start(const Image& image, Key key) const override {
    Scratch scratch;
    const SnowDraws draws = draw_snow(key, image.height, image.width, row_, scratch);
    return snow_frames(image, draws.layer, row_);
  }

 private:
  SnowRow row_;
};

}  // namespace

const SnowRow& snow_sequence_row(ParameterSet set) {
  static constexpr BySet<SnowRow> kRows{
      {.05, .3, 2, .5, 10, 2, .85}, {.05, .28, 2, .5, 10, 2.5, .85}, {.05, .3, 3, .5, 14, 4, .85}};
  return of_set(kRows, set);
}

std::unique_ptr<FrameStream> snow_frames(const Image& image, std::span<const double> layer,
                                         const SnowRow& row) {
  return std::make_unique<SnowStream>(image, layer, row);
}

std::unique_ptr<Sequence> make_snow_sequence(ParameterSet set) {
  return std::make_unique<SnowSequence>(snow_sequence_row(set));
}

}  // namespace noisymix

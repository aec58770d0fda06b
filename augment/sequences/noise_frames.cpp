// Frames of noise: the same clean image with fresh draws in every frame.
#include <memory>
#include <numeric>
#include <vector>

#include "augment/corruptions/gaussian_noise.h"
#include "augment/corruptions/shot_noise.h"
#include "augment/corruptions/speckle_noise.h"
#include "augment/image_ops.h"
#include "augment/sequences/families.h"

namespace noisymix {
namespace {

constexpr int kFrames = 31;  // the clean image and 30 draws

/// Frame i > 0 draws from child i of the stream's key.
class NoiseStream : public NumberedStream {
 public:
  NoiseStream(int frames, Image image, Key key)
      : NumberedStream(frames), image_(std::move(image)), key_(key) {}

 protected:
  void write_frame(int i, Image& out) final {
    if (i == 0)
      out = image_;
    else
      write_draw(image_, key_.child(i), out);
  }
  virtual void write_draw(const Image& image, Key key, Image& out) = 0;

 private:
  Image image_;
  Key key_;
};

class GaussianNoiseStream : public NoiseStream {
 public:
  GaussianNoiseStream(int frames, double deviation, const Image& image, Key key)
      : NoiseStream(frames, image, key), deviation_(deviation), noise_(image.pixels.size()) {}

 protected:
  void write_draw(const Image& image, Key key, Image& out) override {
    draw_normal_noise(key, deviation_, noise_);
    gaussian_noise<float>(image, noise_, out);
  }

 private:
  double deviation_;
  std::vector<float> noise_;
};

class SpeckleNoiseStream : public NoiseStream {
 public:
  SpeckleNoiseStream(int frames, double deviation, const Image& image, Key key)
      : NoiseStream(frames, image, key), deviation_(deviation), noise_(image.pixels.size()) {}

 protected:
  void write_draw(const Image& image, Key key, Image& out) override {
    draw_normal_noise(key, deviation_, noise_);
    speckle_noise<float>(image, noise_, out);
  }

 private:
  double deviation_;
  std::vector<float> noise_;
};

/// What all streams of a level of shot noise read.
struct Photons {
  explicit Photons(int photons) : counts(photons) {
    std::vector<std::uint16_t> every(static_cast<std::size_t>(photons) + 1);
    std::iota(every.begin(), every.end(), std::uint16_t{0});
    shot_noise<std::uint16_t>(Image(1, photons + 1, 1), every, photons, results);
  }
  PhotonCounts counts;
  Image results;  ///< the byte of every count
};

class ShotNoiseStream : public NoiseStream {
 public:
  ShotNoiseStream(int frames, std::shared_ptr<const Photons> photons, const Image& image, Key key)
      : NoiseStream(frames, image, key), photons_(std::move(photons)), counts_(image.pixels.size()) {}

 protected:
  void write_draw(const Image& image, Key key, Image& out) override {
    photons_->counts.draw(key, image.pixels, scratch_, counts_);
    set_shape_like(out, image);
    const std::uint8_t* results = photons_->results.pixels.data();
    for (std::size_t i = 0; i < counts_.size(); ++i) out.pixels[i] = results[counts_[i]];
  }

 private:
  std::shared_ptr<const Photons> photons_;
  std::vector<std::uint16_t> counts_;
  Scratch scratch_;
};

/// Per benchmark, from the easiest level to the hardest.
template <class Level>
using Levels = BySet<Level[kSequenceDifficulties]>;
constexpr Levels<double> kGaussian{{.02, .04, .06}, {.025, .05, .075}, {.03, .05, .08}};
constexpr Levels<double> kSpeckle{{.05, .07, .1}, {.05, .1, .15}, {.05, .1, .15}};
constexpr Levels<int> kShot{{700, 400, 200}, {500, 250, 125}, {300, 120, 60}};

}  // namespace

std::unique_ptr<Sequence> make_noise_sequence(SequenceType type, ParameterSet set, int difficulty) {
  const auto level = static_cast<std::size_t>(difficulty - 1);
  switch (type) {
    case SequenceType::gaussian_noise:
      return sequence_of<GaussianNoiseStream>(kFrames, of_set(kGaussian, set)[level]);
    case SequenceType::speckle_noise:
      return sequence_of<SpeckleNoiseStream>(kFrames, of_set(kSpeckle, set)[level]);
    default:
      NM_ASSERT(type == SequenceType::shot_noise);
      return sequence_of<ShotNoiseStream>(
          kFrames, std::shared_ptr<const Photons>(std::make_shared<Photons>(of_set(kShot, set)[level])));
  }
}

}  // namespace noisymix

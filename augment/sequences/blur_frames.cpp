// Frames of blur: motion in a turning direction, the mean of ever larger zooms, and a widening Gaussian.
#include <algorithm>
#include <vector>

#include "augment/filters/gaussian_filter.h"
#include "augment/filters/motion_filter.h"
#include "augment/image_ops.h"
#include "augment/sequences/families.h"
#include "augment/sequences/geometry_frames.h"
#include "engine/cpu/vectorise.h"

namespace noisymix {
namespace {

// --- Motion blur

struct MotionConstants {
  double radius, sigma, degrees_per_frame;
};

class MotionStream : public NumberedStream {
 public:
  MotionStream(int frames, const MotionConstants& constants, Image image, Key)
      : NumberedStream(frames), constants_(constants), image_(std::move(image)), last_(frames - 1) {}

 protected:
  void write_frame(int i, Image& out) override {
    const double degrees = constants_.degrees_per_frame * (i - last_);
    set_shape_like(out, image_);
    motion_filter(image_.pixels.data(), out.pixels.data(), image_.height, image_.width, image_.channels,
                  constants_.radius, constants_.sigma, degrees, scratch_);
  }

 private:
  MotionConstants constants_;
  Image image_;
  int last_;
  Scratch scratch_;
};

// --- Zoom blur

NM_VECTORISED(add_unit, (float* NM_RESTRICT sum, const std::uint8_t* NM_RESTRICT bytes, std::size_t n),
              (sum, bytes, n)) {
  for (std::size_t i = 0; i < n; ++i) sum[i] += static_cast<float>(bytes[i]) / 255.0f;
}

NM_VECTORISED(mean_bytes,
              (std::uint8_t * NM_RESTRICT out, const float* NM_RESTRICT sum, float count, std::size_t n),
              (out, sum, count, n)) {
  for (std::size_t i = 0; i < n; ++i)
    out[i] = static_cast<std::uint8_t>(static_cast<std::int32_t>(sum[i] / count * 255.0f));
}

/// Frame i is the mean of the image and its enlargements by 1 + 0.004 j, 1 <= j <= i, summed in f32.
class ZoomStream : public NumberedStream {
 public:
  ZoomStream(int frames, double step, Image image, Key)
      : NumberedStream(frames), step_(step), image_(std::move(image)), sum_(image_.pixels.size()) {}

 protected:
  void write_frame(int i, Image& out) override {
    const Pose pose{.scale = 1 + step_ * i};
    const Image* addend = &image_;
    if (i > 0) {
      affine(image_, enlarged_, pose_matrix(image_.width, image_.height, pose));
      addend = &enlarged_;
    }
    add_unit(sum_.data(), addend->pixels.data(), sum_.size());
    set_shape_like(out, image_);
    mean_bytes(out.pixels.data(), sum_.data(), static_cast<float>(i + 1), sum_.size());
  }

 private:
  double step_;
  Image image_, enlarged_;
  std::vector<float> sum_;
};

// --- Gaussian blur

struct GaussianConstants {
  double first, step, truncate;
};

class GaussianStream : public NumberedStream {
 public:
  GaussianStream(int frames, const GaussianConstants& constants, const Image& image, Key)
      : NumberedStream(frames),
        constants_(constants),
        height_(image.height),
        width_(image.width),
        channels_(image.channels),
        unit_(image.pixels.size()),
        smooth_(image.pixels.size()) {
    std::transform(image.pixels.begin(), image.pixels.end(), unit_.begin(),
                   [](std::uint8_t byte) { return byte / 255.0; });
  }

 protected:
  void write_frame(int i, Image& out) override {
    gaussian_filter(unit_.data(), smooth_.data(), height_, width_, channels_,
                    constants_.first + constants_.step * i, constants_.truncate, Border::nearest, scratch_);
    set_shape(out, height_, width_, channels_);
    std::transform(smooth_.begin(), smooth_.end(), out.pixels.begin(),
                   [](double value) { return static_cast<std::uint8_t>(255 * std::clamp(value, 0.0, 1.0)); });
  }

 private:
  GaussianConstants constants_;
  int height_, width_, channels_;
  std::vector<double> unit_, smooth_;
  Scratch scratch_;
};

}  // namespace

std::unique_ptr<Sequence> make_blur_sequence(SequenceType type, ParameterSet set) {
  static constexpr BySet<int> kMotionFrames{21, 31, 31};
  static constexpr BySet<MotionConstants> kMotion{{6, 1.8, 9}, {14, 3, 5}, {10, 3, 4}};
  static constexpr BySet<GaussianConstants> kGaussian{{.3, .015, 7}, {.35, .014, 7}, {.25, .035, 6}};
  switch (type) {
    case SequenceType::motion_blur:
      return sequence_of<MotionStream>(of_set(kMotionFrames, set), of_set(kMotion, set));
    case SequenceType::zoom_blur:
      return sequence_of<ZoomStream>(31, 0.004);
    default:
      NM_ASSERT(type == SequenceType::gaussian_blur);
      return sequence_of<GaussianStream>(31, of_set(kGaussian, set));
  }
}

}  // namespace noisymix

// Noise2Net one image at a time: a channel is a plane with a border of zeros, a convolution the weighted sum
// of shifted planes.
#include <algorithm>
#include <cmath>
#include <utility>

#include "augment/filters/wide_doubles.h"
#include "augment/perturbations/noise2net_passes.h"
#include "engine/cpu/parallel.h"
#include "engine/cpu/vectorise.h"

namespace noisymix {
namespace {

constexpr std::int64_t kLanes = 32;  // elements that a pass takes at a time
constexpr std::int64_t kBorder = 3;  // the largest padding
constexpr double kBatchNormEpsilon = 1e-5;

// Sums stay in registers only as vector types: compilers leave arrays of the same size in memory.
using EightFloats = float __attribute__((vector_size(32)));
using FourFloats = float __attribute__((vector_size(16)));

/// y[p] = sum_t weights[t] inputs[t][p]; n is a multiple of kLanes.
NM_VECTORISED(sum_planes,
              (float* NM_RESTRICT y, const float* const* inputs, const float* NM_RESTRICT weights,
               std::int64_t count, std::int64_t n),
              (y, inputs, weights, count, n)) {
  for (std::int64_t p = 0; p < n; p += kLanes) {
    EightFloats a = {}, b = {}, c = {}, d = {};
    for (std::int64_t t = 0; t < count; ++t) {
      const float* x = inputs[t] + p;
      const float weight = weights[t];
      a += weight * load_vector<EightFloats>(x);
      b += weight * load_vector<EightFloats>(x + 8);
      c += weight * load_vector<EightFloats>(x + 16);
      d += weight * load_vector<EightFloats>(x + 24);
    }
    store_vector(y + p, a);
    store_vector(y + p + 8, b);
    store_vector(y + p + 16, c);
    store_vector(y + p + 24, d);
  }
}

/// Sum and sum of squares of y where inside is 1; n is a multiple of kLanes.
NM_VECTORISED(plane_sums,
              (const float* NM_RESTRICT y, const float* NM_RESTRICT inside, std::int64_t n,
               double* NM_RESTRICT sums),
              (y, inside, n, sums)) {
  FourDoubles::type first[2] = {}, second[2] = {};
  for (std::int64_t p = 0; p < n; p += 8) {
    const FourFloats low = load_vector<FourFloats>(y + p) * load_vector<FourFloats>(inside + p);
    const FourFloats high = load_vector<FourFloats>(y + p + 4) * load_vector<FourFloats>(inside + p + 4);
    const auto a = __builtin_convertvector(low, FourDoubles::type);
    const auto b = __builtin_convertvector(high, FourDoubles::type);
    first[0] += a, first[1] += b;
    second[0] += a * a, second[1] += b * b;
  }
  const FourDoubles::type all = first[0] + first[1], squares = second[0] + second[1];
  sums[0] = (all[0] + all[1]) + (all[2] + all[3]);
  sums[1] = (squares[0] + squares[1]) + (squares[2] + squares[3]);
}

/// max(y scale + shift, 0) inside, 0 outside.
NM_VECTORISED(scale_and_rectify,
              (float* NM_RESTRICT y, const float* NM_RESTRICT inside, float scale, float shift,
               std::int64_t n),
              (y, inside, scale, shift, n)) {
  for (std::int64_t p = 0; p < n; ++p) {
    const float value = y[p] * scale + shift;
    y[p] = inside[p] * (value > 0 ? value : 0);
  }
}

/// x += y scale + shift where inside is 1.
NM_VECTORISED(add_scaled,
              (float* NM_RESTRICT x, const float* NM_RESTRICT y, const float* NM_RESTRICT inside, float scale,
               float shift, std::int64_t n),
              (x, y, inside, scale, shift, n)) {
  for (std::int64_t p = 0; p < n; ++p) x[p] += inside[p] * (y[p] * scale + shift);
}

NM_VECTORISED(add_plane, (float* NM_RESTRICT x, const float* NM_RESTRICT y, std::int64_t n), (x, y, n)) {
  for (std::int64_t p = 0; p < n; ++p) x[p] += y[p];
}

/// The planes of one image. Rows are width + kBorder apart, so that what follows a row is also what precedes
/// the next; everything outside the image stays 0 between passes.
class ImageNetwork {
 public:
  ImageNetwork(const Noise2NetStructure& structure, std::int64_t height, std::int64_t width)
      : structure_(structure), height_(height), width_(width), pitch_(width + kBorder) {
    length_ = (height * pitch_ + kLanes - 1) / kLanes * kLanes;
    const std::int64_t before = kBorder * (pitch_ + 1), plane = (length_ + 2 * before + 15) / 16 * 16;
    const std::int64_t count = 2 * structure.channels + structure.width() + structure.hidden + 1;
    memory_.assign(static_cast<std::size_t>(count * plane), 0.0f);
    float* next = memory_.data() + before;
    const auto take = [&](std::int64_t planes) {
      std::vector<float*> result;
      for (std::int64_t i = 0; i < planes; ++i, next += plane) result.push_back(next);
      return result;
    };
    image_ = take(structure.channels), change_ = take(structure.channels);
    wide_ = take(structure.width()), results_ = take(structure.hidden);
    inside_ = take(1)[0];
    for (std::int64_t y = 0; y < height; ++y) std::fill_n(inside_ + y * pitch_, width, 1.0f);
  }

  /// pixels [h][w][channels], in place.
  void run(float* pixels, double epsilon, std::int64_t number, Key key) {
    for_each_pixel([&](std::int64_t pixel, std::size_t c, float& value) {
      value = pixels[pixel * structure_.channels + static_cast<std::int64_t>(c)];
    });
    for (int stage = 0; stage < kNoise2NetStages; ++stage)
      run_stage(stage, epsilon, draw_noise2net_weights(structure_, stage, number, key));
    for_each_pixel([&](std::int64_t pixel, std::size_t c, float& value) {
      pixels[pixel * structure_.channels + static_cast<std::int64_t>(c)] = value;
    });
  }

 private:
  struct Moments {
    double mean, scale;  // scale = 1 / sqrt(variance + epsilon)
  };

  template <typename Body>
  void for_each_pixel(Body&& body) {
    for (std::int64_t y = 0; y < height_; ++y)
      for (std::int64_t x = 0; x < width_; ++x)
        for (std::size_t c = 0; c < image_.size(); ++c) body(y * width_ + x, c, image_[c][y * pitch_ + x]);
  }

  Moments moments_of(const float* plane) const {
    double sums[2];
    plane_sums(plane, inside_, length_, sums);
    const double count = static_cast<double>(height_ * width_), mean = sums[0] / count;
    const double variance = std::max(sums[1] / count - mean * mean, 0.0);
    return {mean, 1 / std::sqrt(variance + kBatchNormEpsilon)};
  }

  void normalise_and_rectify(float* plane) const {
    const Moments moments = moments_of(plane);
    scale_and_rectify(plane, inside_, static_cast<float>(moments.scale),
                      static_cast<float>(-moments.mean * moments.scale), length_);
  }

  /// outputs[o] = sum over inputs, weights [outputs][inputs].
  void mix_channels(const std::vector<float*>& outputs, const std::vector<float*>& inputs,
                    const std::vector<float>& weights) {
    taps_.assign(inputs.begin(), inputs.end());
    for (std::size_t o = 0; o < outputs.size(); ++o)
      sum_planes(outputs[o], taps_.data(), weights.data() + o * inputs.size(),
                 static_cast<std::int64_t>(inputs.size()), length_);
  }

  /// results_ = the convolution of `hidden` planes from `inputs` on.
  void convolve(float* const* inputs, const Noise2NetConv& conv, const std::vector<float>& weights) {
    taps_.clear();
    for (std::int64_t ky = 0; ky < conv.kernel; ++ky)
      for (std::int64_t kx = 0; kx < conv.kernel; ++kx)
        for (std::int64_t c = 0; c < structure_.hidden; ++c)
          taps_.push_back(inputs[c] + (ky * conv.dilation - conv.padding()) * pitch_ + kx * conv.dilation -
                          conv.padding());
    for (std::size_t o = 0; o < results_.size(); ++o)
      sum_planes(results_[o], taps_.data(), weights.data() + o * taps_.size(),
                 static_cast<std::int64_t>(taps_.size()), length_);
  }

  void run_stage(int stage, double epsilon, const Noise2NetWeights& weights) {
    mix_channels(wide_, image_, weights.expand);
    for (float* plane : wide_) normalise_and_rectify(plane);
    const auto hidden = static_cast<std::size_t>(structure_.hidden);
    for (std::size_t slice = 0; slice < kNoise2NetSlices; ++slice) {
      float** own = wide_.data() + slice * hidden;
      if (slice > 0)
        for (std::size_t c = 0; c < hidden; ++c) add_plane(own[c], wide_[(slice - 1) * hidden + c], length_);
      convolve(own, structure_.convs[static_cast<std::size_t>(stage)][slice], weights.convs[slice]);
      for (std::size_t c = 0; c < hidden; ++c) {
        normalise_and_rectify(results_[c]);
        std::swap(own[c], results_[c]);
      }
    }
    mix_channels(change_, wide_, weights.reduce);
    for (std::size_t c = 0; c < change_.size(); ++c) {
      const Moments moments = moments_of(change_[c]);
      add_scaled(image_[c], change_[c], inside_, static_cast<float>(epsilon * moments.scale),
                 static_cast<float>(-epsilon * moments.mean * moments.scale), length_);
    }
  }

  const Noise2NetStructure& structure_;
  std::int64_t height_, width_, pitch_, length_ = 0;  // length_: elements that a pass goes through
  std::vector<float> memory_;
  std::vector<float*> image_, change_, wide_, results_;
  float* inside_ = nullptr;  // 1 on pixels of the image
  std::vector<const float*> taps_;
};

}  // namespace

Tensor noise2net_by_image(const Tensor& images, const Noise2NetStructure& structure, double epsilon,
                          Key key) {
  constexpr std::int64_t kImagesPerChunk = 4;
  Tensor result = images.clone();
  const std::int64_t size = images.dim(1) * images.dim(2) * images.dim(3);
  float* pixels = result.mutable_data<float>();
  cpu::parallel_for(images.dim(0), kImagesPerChunk, [&](std::int64_t begin, std::int64_t end) {
    ImageNetwork network(structure, images.dim(1), images.dim(2));
    for (std::int64_t i = begin; i < end; ++i) network.run(pixels + i * size, epsilon, i, key);
  });
  return result;
}

}  // namespace noisymix

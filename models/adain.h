// Style transfer by adaptive instance normalisation (AdaIN): the content's feature maps get the channel means
// and deviations of the style's, and a decoder turns them back into a picture. Forward only; weights come
// from files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "engine/device.h"
#include "engine/tensor.h"
#include "layers/conv2d.h"
#include "layers/module.h"

namespace noisymix {

struct AdaInOptions {
  /// Channels after the first, second, third and fourth block of VGG-19. Tests make them few.
  std::int64_t channels[4] = {64, 128, 256, 512};
};

/// Convolutions with reflection padding, poolings and enlargements, one after the other. State names are the
/// numbers that the layers have in the sequential networks of the usual PyTorch implementation, where
/// paddings, ReLUs, poolings and enlargements count as layers too.
class AdaInStack : public Module {
 public:
  enum class Step { plain_convolution, convolution, last_convolution, halve, double_size };
  struct Part {
    Step step;
    int number = 0;  ///< of the convolution's weights
    std::int64_t in = 0, out = 0;
  };
  explicit AdaInStack(const std::vector<Part>& parts);

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;

 private:
  struct Built {
    Step step;
    std::unique_ptr<Conv2d> convolution;
  };
  std::vector<Built> parts_;
};

/// Means and deviations of feature maps over their pixels, [n, 1, 1, c].
struct ChannelMoments {
  Tensor mean, deviation;
};

/// Deviations are sqrt(variance + 1e-5) with the divisor h w - 1. x [n, h, w, c], at least two pixels.
ChannelMoments channel_moments(const Tensor& x);

/// Spec 4.13. Pictures are f32 [n, h, w, 3] in [0, 1], not normalised, with sides of at least
/// kSmallestAdaInSide.
class AdaIn {
 public:
  explicit AdaIn(const AdaInOptions& options = {});

  /// Reads the weights, PyTorch names and shapes ([out, in, k, k]). Encoder, VGG-19 up to relu4_1: 0 (1x1, 3
  /// to 3 channels), 2, 5, 9, 12, 16, 19, 22, 25, 29; further layers in the file are passed over. Decoder: 1,
  /// 5, 8, 11, 14, 18, 21, 25, 28. Each with .weight and .bias. Throws DataError that lists everything
  /// missing, unexpected and misshaped at once.
  void load(const std::filesystem::path& encoder, const std::filesystem::path& decoder);
  void to(Device device);
  Device device() const { return encoder_.device(); }

  /// What a style is: moments of its features.
  ChannelMoments style_of(const Tensor& picture);
  /// The content in that style, of the content's size, in [0, 1]; alpha from 0 (decoded as it is) to 1 blends
  /// the features.
  Tensor transfer(const Tensor& content, const ChannelMoments& style, double alpha = 1);

  Module& encoder() { return encoder_; }
  Module& decoder() { return decoder_; }

 private:
  Tensor encode(const Tensor& picture);
  AdaInStack encoder_, decoder_;
};

/// Below it the padding of the deepest layer has nothing to reflect: eight pixels become one.
inline constexpr std::int64_t kSmallestAdaInSide = 9;

}  // namespace noisymix

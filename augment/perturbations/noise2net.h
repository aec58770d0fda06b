// Noise2Net: images perturbed by small residual networks with random weights, one for each image.
#pragma once

#include "engine/key.h"
#include "engine/tensor.h"

namespace noisymix {

/// Defaults are those of the paper for CIFAR; Tiny-ImageNet takes epsilon 0.2, the published code 0.4
/// (register D24). Networks for ImageNet have epsilon 0.75, hidden 16, ratio 0.5.
struct Noise2NetOptions {
  double ratio = 0.75;      ///< share of the batch that is perturbed: its first int(ratio b) images
  double epsilon = 0.1;     ///< each stage's weight is uniform on [epsilon / 2, epsilon), one draw per call
  std::int64_t hidden = 2;  ///< channels of a slice; a stage has four
};

/// images [b, h, w, c], normalised, on any device; the same with its first int(ratio b) images passed through
/// four stages x <- x + epsilon g(x). g: 1x1 convolution to 4 hidden channels, batch norm, ReLU; the first
/// three of its four slices one after the other plus the result before through a convolution, batch norm and
/// ReLU; 1x1 convolution of all four to c channels, batch norm. A batch norm takes the statistics of one
/// image.
///
/// Kernel sizes (1 or 3) and dilations (1 to 3) of the convolutions are drawn from structure_key, which a
/// caller keeps for an epoch; from weights_key come epsilon and, for each image, weights uniform within 1 /
/// sqrt(fan in). Not recorded. Throws ConfigError for a ratio outside [0, 1], a negative epsilon or hidden <
/// 1, ShapeError for other tensors and for images of a single pixel.
Tensor noise2net(const Tensor& images, const Noise2NetOptions& options, Key weights_key, Key structure_key);

}  // namespace noisymix

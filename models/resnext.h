// ResNeXt-29 for 32 x 32 images, in the form of the published AugMix code.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "layers/linear.h"
#include "layers/sequential.h"
#include "models/projection.h"
#include "models/registry.h"

namespace noisymix {

struct ResNextOptions {
  std::int64_t inputs = 3, classes = 10;
  std::int64_t blocks = 3;       ///< per stage; depth 9 blocks + 2
  std::int64_t cardinality = 4;  ///< groups of the 3x3 convolutions
  std::int64_t base_width =
      32;            ///< channels per group in the first stage are base_width, then twice, four times
  double width = 1;  ///< factor on all channels
  ActivationKind activation = ActivationKind::relu;
};

/// x [n, h, w, in] -> [n, h / stride, w / stride, out]: 1x1 to `inner` channels, 3x3 in groups with the
/// stride, 1x1 to out, each with a batch norm, plus downsample(x), activation after the sum.
class ResNextBlock : public Module {
 public:
  ResNextBlock(std::int64_t in, std::int64_t inner, std::int64_t out, std::int64_t stride,
               const ResNextOptions& options);

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;

 private:
  ActivationKind activation_;
  Conv2d conv_reduce_;
  BatchNorm2d bn_reduce_;
  Conv2d conv_conv_;
  BatchNorm2d bn_;
  Conv2d conv_expand_;
  BatchNorm2d bn_expand_;
  std::optional<Projection> downsample_;
};

/// Images [n, h, w, inputs] -> logits [n, classes]. stage_1 .. stage_3 with 256, 512 and 1024 channels; the
/// last two halve height and width. Mixing is possible at the input and after stage_1 and stage_2.
class ResNext : public Model {
 public:
  explicit ResNext(const ResNextOptions& options);

  std::vector<int> stages() const override { return {0, 1, 2}; }
  std::string head() const override { return "classifier"; }
  std::vector<std::string> stage_ends() const override { return {"stage_1", "stage_2", "stage_3"}; }

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;

 private:
  Conv2d conv_1_3x3_;
  BatchNorm2d bn_1_;
  std::array<Sequential, 3> stages_;
  Linear classifier_;
};

}  // namespace noisymix

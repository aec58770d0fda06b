// DenseNets for 32 x 32 images: DenseNet-121 of the published DiGN code and DenseNet-40 of the AugMix code.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "layers/linear.h"
#include "layers/sequential.h"
#include "models/dense_layer.h"
#include "models/registry.h"

namespace noisymix {

struct DenseNetOptions {
  std::int64_t inputs = 3, classes = 10;
  std::int64_t growth = 12;                ///< channels that each layer adds
  std::vector<int> blocks{6, 12, 24, 16};  ///< layers per dense block
  double compression = 0.5;                ///< of the channels in a transition, rounded down
  DenseStyle style;
  std::string last_norm = "bn", head = "linear";  ///< state names
  InitialValues head_initial;
};

/// Images [n, h, w, inputs] -> logits [n, classes]: conv1, 3x3 to twice the growth rate; dense1, trans1,
/// dense2, ... ending in a dense block; norm, activation, global average, linear map. Every transition halves
/// height and width. Mixing is possible at the input and after each transition.
class DenseNet : public Model {
 public:
  explicit DenseNet(const DenseNetOptions& options);

  std::vector<int> stages() const override;
  std::string head() const override { return head_name_; }
  std::vector<std::string> stage_ends() const override;

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;

 private:
  std::string head_name_;
  Conv2d conv1_;
  std::vector<std::unique_ptr<Sequential>> dense_;
  std::vector<std::unique_ptr<DenseTransition>> transitions_;  // one less
  std::unique_ptr<BatchNorm2d> norm_;
  std::unique_ptr<Linear> head_;
};

/// DiGN's DenseNet-121. The paper names no growth rate, and 32 is usual; the published code has 12 (D28).
DenseNetOptions densenet121_cifar_options();
/// AugMix's DenseNet-40: 12 layers without bottleneck in each of three blocks, transitions that keep the
/// channels.
DenseNetOptions densenet40_options();

}  // namespace noisymix

// AlexNet in its one-column form, with torchvision's state names: the yardstick of mCE and flip rates.
#pragma once

#include <string>
#include <vector>

#include "layers/linear.h"
#include "layers/sequential.h"
#include "models/registry.h"

namespace noisymix {

struct AlexNetOptions {
  std::int64_t inputs = 3, classes = 10;
  double width = 1;      ///< factor on channels and hidden units
  double dropout = 0.5;  ///< before each of the two hidden linear maps
};

/// Images [n, h, w, inputs] of at least 63 x 63 -> logits [n, classes]. Five convolutions with biases,
/// average to 6 x 6, three linear maps. Mixing is possible at the input and after each of the three poolings.
class AlexNet : public Model {
 public:
  explicit AlexNet(const AlexNetOptions& options);

  std::vector<int> stages() const override { return {0, 1, 2, 3}; }
  std::string head() const override { return "classifier.6"; }
  /// The last convolution in front of each pooling, then the hidden linear maps.
  std::vector<std::string> stage_ends() const override {
    return {"features.0", "features.3", "features.10", "classifier.4"};
  }

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;

 private:
  Sequential features_, classifier_;
};

}  // namespace noisymix

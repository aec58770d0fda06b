// The all-convolutional network of the published AugMix code.
#pragma once

#include <string>
#include <vector>

#include "layers/linear.h"
#include "layers/sequential.h"
#include "models/registry.h"

namespace noisymix {

struct AllConvOptions {
  std::int64_t inputs = 3, classes = 10;
  double width = 1;      ///< factor on 96 and 192 channels
  double dropout = 0.5;  ///< after each max-pooling
};

/// Images [n, h, w, inputs] -> logits [n, classes]. Nine convolutions with bias, batch norm and x
/// sigmoid(1.702 x): six 3x3 with padding, pooled after three and six, one 3x3 without, two 1x1 with padding
/// 1 (a peculiarity of the code that is kept), then the average of 8 x 8 windows, which at 32 x 32 pixels
/// leaves out the last two rows and columns of 10 x 10. Needs images of at least 24 x 24. Mixing is possible
/// at the input and after each pooling.
class AllConv : public Model {
 public:
  explicit AllConv(const AllConvOptions& options);

  std::vector<int> stages() const override { return {0, 1, 2}; }
  std::string head() const override { return "classifier"; }
  /// The last norm in front of each pooling.
  std::vector<std::string> stage_ends() const override {
    return {"features.7", "features.18", "features.29"};
  }

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;

 private:
  Sequential features_;
  Linear classifier_;
};

}  // namespace noisymix

// Small fully connected networks for points in the plane.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "layers/activation.h"
#include "layers/dropout.h"
#include "layers/linear.h"
#include "models/registry.h"

namespace noisymix {

struct ToyMlpOptions {
  std::int64_t inputs = 2;
  std::int64_t classes = 2;
  std::int64_t hidden_layers = 1;
  std::int64_t units = 32;  ///< of each hidden layer
  int mix_layers = 1;       ///< hidden layers after which mixing may happen, counted from the first
  double dropout = 0;       ///< after each activation
  ActivationKind activation = ActivationKind::relu;
};

/// Points [n, inputs] -> logits [n, classes]; layers fc1, fc2, ... with activation and dropout between them. Stage 0
/// is the input, stage k the activated k-th hidden layer. The NoisyMix paper's toy network (appendix A) has
/// one hidden layer and mixes at {0, 1}; NFM's (appendix F.2) has four linear maps and mixes at {0, 1, 2}.
class ToyMlp : public Model {
 public:
  explicit ToyMlp(const ToyMlpOptions& options);

  std::vector<int> stages() const override;
  std::string head() const override;
  std::vector<std::string> stage_ends() const override;

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;

 private:
  ToyMlpOptions options_;
  std::vector<std::unique_ptr<Linear>> layers_;
  std::vector<std::unique_ptr<Dropout>> dropouts_;  // one per hidden layer
};

}  // namespace noisymix

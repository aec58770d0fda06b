// A network that answers with the average over noisy copies of its input: random self-ensemble (RSE).
#pragma once

#include "models/registry.h"

namespace noisymix {

struct NoisyEnsembleOptions {
  int copies = 10;
  double noise = 0.1;                 ///< standard deviation, in what the network sees
  bool average_probabilities = true;  ///< paper; the published code averages logits (register D25)
};

/// In evaluation mode: the logarithm of the mean probability (whose softmax is that mean), or the mean
/// logits, over `copies` noisy inputs. The noise of an image is a function of its pixels, so neither the
/// batch nor the order matters. In training mode the network itself, whose state keeps its names.
class NoisyEnsemble final : public Model {
 public:
  /// Throws ConfigError for less than one copy or a negative level.
  NoisyEnsemble(std::unique_ptr<Model> network, const NoisyEnsembleOptions& options);

  std::vector<int> stages() const override { return network_->stages(); }
  std::string head() const override { return network_->head(); }
  std::vector<std::string> stage_ends() const override { return network_->stage_ends(); }

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;

 private:
  std::unique_ptr<Model> network_;
  NoisyEnsembleOptions options_;
};

}  // namespace noisymix

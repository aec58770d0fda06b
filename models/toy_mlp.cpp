#include "models/toy_mlp.h"

#include <numeric>
#include <string>

namespace noisymix {

ToyMlp::ToyMlp(const ToyMlpOptions& options) : options_(options) {
  NM_CHECK(
      options.hidden_layers >= 0 && options.mix_layers >= 0 && options.mix_layers <= options.hidden_layers,
      "[toy mlp] cannot mix after ", options.mix_layers, " of ", options.hidden_layers, " hidden layers");
  std::int64_t in = options.inputs;
  for (std::int64_t i = 0; i <= options.hidden_layers; ++i) {
    const std::int64_t out = i == options.hidden_layers ? options.classes : options.units;
    layers_.push_back(std::make_unique<Linear>(in, out));
    register_module("fc" + std::to_string(i + 1), *layers_.back());
    in = out;
    if (i == options.hidden_layers) break;
    dropouts_.push_back(std::make_unique<Dropout>(options.dropout));
    register_module("dropout" + std::to_string(i + 1), *dropouts_.back());
  }
}

std::vector<int> ToyMlp::stages() const {
  std::vector<int> result(static_cast<std::size_t>(options_.mix_layers) + 1);
  std::iota(result.begin(), result.end(), 0);
  return result;
}

std::string ToyMlp::head() const {
  return "fc" + std::to_string(layers_.size());
}

std::vector<std::string> ToyMlp::stage_ends() const {
  std::vector<std::string> result;
  for (std::size_t i = 1; i < layers_.size(); ++i) result.push_back("fc" + std::to_string(i));
  return result;
}

Tensor ToyMlp::forward(const Tensor& x, const Context& context) {
  Tensor y = context.at_stage(0, x);
  for (int i = 0; i < static_cast<int>(options_.hidden_layers); ++i) {
    const auto layer = static_cast<std::size_t>(i);
    y = (*dropouts_[layer])(activate(options_.activation, (*layers_[layer])(y, context)), context);
    if (i < options_.mix_layers) y = context.at_stage(i + 1, y);
  }
  return (*layers_.back())(y, context);
}

}  // namespace noisymix

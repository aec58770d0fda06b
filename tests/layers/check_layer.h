// Gradient checks and state access for layers.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "layers/module.h"
#include "tests/check_op.h"

namespace noisymix::testing {

inline Context training_context(std::uint64_t key = 1) {
  Context context;
  context.training = true;
  context.key = Key(key);
  return context;
}

/// The tensor of that name in the module's state.
inline Tensor state_of(const Module& module, const std::string& name) {
  for (const auto& [known, value] : module.state())
    if (known == name) return value;
  FAIL("no state named " << name);
  return {};
}

inline std::vector<std::string> names_of(const Module::Named& named) {
  std::vector<std::string> names;
  for (const auto& [name, value] : named) names.push_back(name);
  return names;
}

/// Checks the gradients of sum(layer(x) * g) for x and every parameter in f64, all at random values. The
/// layer's own parameters are moved in place.
inline void check_layer_gradients(Module& layer, const Tensor& input, const Context& context,
                                  double tolerance = 1e-6, double step = 1e-5) {
  layer.to(Dtype::f64);
  const Tensor x = input.detach().to(Dtype::f64).clone().set_requires_grad();
  Module::Named leaves = layer.parameters();
  for (std::size_t k = 0; k < leaves.size(); ++k) {
    Tensor& leaf = leaves[k].second;
    leaf.copy_from(
        random_normal(leaf.shape(), Key(50).child(static_cast<std::int64_t>(k)), 0, 1, Dtype::f64));
  }
  leaves.emplace_back("x", x);
  const Tensor y = layer(x, context);
  const Tensor g = random_normal(y.shape(), Key(99), 0, 1, Dtype::f64);
  backward(y, g);
  const auto objective = [&] {
    NoGrad unrecorded;
    return sum(mul(layer(x, context), g)).item();
  };
  for (auto& item : leaves) {
    CAPTURE(item.first);
    Tensor& leaf = item.second;
    REQUIRE(leaf.grad().defined());
    const auto analytic = values(leaf.grad());
    double* element = leaf.mutable_data<double>();
    for (std::size_t i = 0; i < analytic.size(); ++i) {
      const double saved = element[i];
      element[i] = saved + step;
      const double high = objective();
      element[i] = saved - step;
      const double numeric = (high - objective()) / (2 * step);
      element[i] = saved;
      CHECK(std::abs(numeric - analytic[i]) <= tolerance * std::max(1.0, std::abs(numeric)));
    }
  }
}

}  // namespace noisymix::testing

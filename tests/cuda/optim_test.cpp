#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <vector>

#include "engine/ops/gradient_sum.h"
#include "engine/optim/adam.h"
#include "engine/optim/sgd.h"
#include "tests/check_device.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

using MakeOptimizer = std::function<std::unique_ptr<Optimizer>(const Optimizer::Named&)>;

/// Weights after some steps on a device with gradients that are the same everywhere.
std::vector<Tensor> trained(Device device, Dtype dtype, const MakeOptimizer& make) {
  Optimizer::Named parameters;
  const std::vector<Shape> shapes = {{3}, {64, 5}, {1}, {20'000}, {7, 7}};
  for (std::size_t i = 0; i < shapes.size(); ++i)
    parameters.emplace_back(
        "p" + std::to_string(i),
        random_normal(shapes[i], Key(1).child(static_cast<std::int64_t>(i)), 0, 1, dtype).to(device));
  const auto optimizer = make(parameters);
  for (std::int64_t step = 0; step < 4; ++step) {
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      if (i == 2 && step == 1) continue;  // this one falls a step behind
      parameters[i].second.set_grad(
          random_normal(shapes[i], Key(2).child(step).child(static_cast<std::int64_t>(i)), 0, 1, dtype)
              .to(device));
    }
    optimizer->step(0.1 / static_cast<double>(1 + step));
    optimizer->clear_grads();
  }
  std::vector<Tensor> weights;
  for (const auto& [name, weight] : parameters) weights.push_back(weight.to(Device{}));
  for (const auto& [name, memory] : optimizer->state()) weights.push_back(memory.to(Device{}));
  return weights;
}

}  // namespace

TEST_CASE("cuda: optimizers update as on the CPU") {
  const auto device = gpu();
  if (!device) return;
  const std::vector<MakeOptimizer> list = {
      [](const auto& p) {
        return std::make_unique<Sgd>(p, SgdOptions{0.9, true, 5e-4, 0});
      },
      [](const auto& p) {
        return std::make_unique<Sgd>(p, SgdOptions{0.9, false, 0, 0.3});
      },
      [](const auto& p) {
        return std::make_unique<Sgd>(p, SgdOptions{0, false, 1e-2, 0});
      },
      [](const auto& p) { return std::make_unique<Adam>(p, AdamOptions{}); },
      [](const auto& p) {
        return std::make_unique<Adam>(p, AdamOptions{0.8, 0.99, 1e-6, 0.1, true, true});
      },
  };
  for (std::size_t k = 0; k < list.size(); ++k)
    for (const Dtype dtype : {Dtype::f32, Dtype::f64}) {
      INFO("optimizer " << k << " in " << name_of(dtype));
      const auto want = trained(Device{}, dtype, list[k]), got = trained(*device, dtype, list[k]);
      for (std::size_t i = 0; i < want.size(); ++i)
        CHECK(relative_error(got[i].to(Dtype::f64), want[i].to(Dtype::f64)) <
              (dtype == Dtype::f32 ? 2e-6 : 1e-14));
    }
}

TEST_CASE("cuda: a gradient that is not finite is found, and holds the update back") {
  const auto device = gpu();
  if (!device) return;
  Optimizer::Named parameters;
  for (int i = 0; i < 70; ++i)  // more than one launch takes
    parameters.emplace_back("p" + std::to_string(i), random_normal({100 + i}, Key(i)).to(*device));
  Sgd optimizer(parameters, {});
  const Tensor before = parameters[3].second.clone();
  for (auto& [name, weight] : parameters) weight.set_grad(Tensor::ones(weight.shape(), Dtype::f32, *device));
  CHECK(non_finite(optimizer.gradients()).item() == 0);
  std::vector<float> bad(169, 1.0f);
  bad.back() = NAN;
  parameters.back().second.set_grad(Tensor::from(bad, {169}, *device));
  const Tensor found = non_finite(optimizer.gradients());
  CHECK(found.item() == 1);
  optimizer.step(0.1, found);
  CHECK(same_bits(parameters[3].second.to(Device{}), before.to(Device{})));
  parameters.back().second.set_grad(Tensor::ones({169}, Dtype::f32, *device));
  optimizer.step(0.1, non_finite(optimizer.gradients()));
  CHECK_FALSE(same_bits(parameters[3].second.to(Device{}), before.to(Device{})));
}

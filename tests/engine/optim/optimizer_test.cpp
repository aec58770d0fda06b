#include "engine/optim/optimizer.h"

#include "engine/optim/adam.h"
#include "engine/optim/sgd.h"
#include "tests/engine/optim/trajectory.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

Optimizer::Named cloned(const Optimizer::Named& state) {
  Optimizer::Named result;
  for (const auto& [name, tensor] : state) result.emplace_back(name, tensor.clone());
  return result;
}

}  // namespace

TEST_CASE("a parameter without gradient is skipped and its state stays") {
  Tensor with = Tensor::ones({2}), without = Tensor::ones({2});
  with.set_grad(Tensor::ones({2}));
  Adam optimizer({{"with", with}, {"without", without}}, {0.9, 0.999, 1e-8, 0.1, true, false});
  optimizer.step(0.1);
  CHECK(values(with)[0] < 1);
  CHECK(values(without) == std::vector<double>{1, 1});
  std::map<std::string, Tensor> state;
  for (const auto& [name, tensor] : optimizer.state()) state[name] = tensor;
  CHECK(state.at("with.steps").item() == 1);
  CHECK(state.at("without.steps").item() == 0);
  CHECK(values(state.at("without.first_moment")) == std::vector<double>{0, 0});
}

TEST_CASE("clear_grads forgets all gradients; a step without any changes nothing") {
  Tensor w = Tensor::ones({2});
  w.set_grad(Tensor::ones({2}));
  Sgd optimizer({{"w", w}});
  optimizer.clear_grads();
  CHECK_FALSE(w.grad().defined());
  optimizer.step(1);
  CHECK(values(w) == std::vector<double>{1, 1});
}

TEST_CASE("state continues a run bit for bit") {
  const auto make = [](const Tensor& w, bool adam) -> std::unique_ptr<Optimizer> {
    if (adam) return std::make_unique<Adam>(Optimizer::Named{{"w", w}});
    return std::make_unique<Sgd>(Optimizer::Named{{"w", w}}, SgdOptions{0.9, false, 0.01, 0.5});
  };
  for (const bool adam : {false, true}) {
    Tensor w = drawn_parameter({3, 5}, 1);
    const auto straight = make(w, adam);
    straight->step(0.1);
    straight->step(0.1);
    Tensor resumed = w.clone();
    resumed.set_grad(w.grad());
    const auto other = make(resumed, adam);
    other->load_state(cloned(straight->state()));
    straight->step(0.1);
    other->step(0.1);
    CHECK(same_bits(w, resumed));
  }
}

TEST_CASE("state names follow the parameters") {
  const Optimizer::Named parameters{{"conv.weight", Tensor::ones({2})}, {"conv.bias", Tensor::ones({1})}};
  std::vector<std::string> names;
  for (const auto& [name, tensor] : Sgd(parameters).state()) names.push_back(name);
  CHECK(names == std::vector<std::string>{"conv.weight.momentum", "conv.weight.steps", "conv.bias.momentum",
                                          "conv.bias.steps"});
  CHECK(Sgd(parameters, {0, false, 0, 0}).state().size() == 2);
}

TEST_CASE("load_state lists every fault and changes nothing") {
  Tensor w = drawn_parameter({2}, 1);
  Sgd optimizer({{"a", w}, {"b", Tensor::ones({2})}});
  optimizer.step(0.1);
  const auto before = cloned(optimizer.state());
  const Tensor steps = Tensor::zeros({}, Dtype::i64);
  const Optimizer::Named wrong{{"a.momentum", Tensor::zeros({3})},
                               {"a.steps", steps},
                               {"a.steps", steps},
                               {"b.momentum", Tensor::zeros({2}, Dtype::f64)},
                               {"c.steps", steps}};
  CHECK_THROWS_WITH_AS(
      optimizer.load_state(wrong),
      "[sgd] state does not fit the parameters: doubled a.steps; unexpected c.steps; a.momentum is "
      "f32 [3], expected f32 [2]; b.momentum is f64 [2], expected f32 [2]; missing b.steps",
      DataError);
  const auto after = optimizer.state();
  for (std::size_t i = 0; i < after.size(); ++i) CHECK(same_bits(after[i].second, before[i].second));
}

TEST_CASE("optimizers reject unusable parameters, gradients and rates") {
  const Tensor w = Tensor::ones({2});
  CHECK_THROWS_WITH_AS(Sgd({{"w", w}, {"w", w}}), "[sgd] two parameters are called 'w'", ShapeError);
  CHECK_THROWS_WITH_AS(Sgd({{"w", Tensor()}}), "[sgd] parameter 'w' is undefined", ShapeError);
  CHECK_THROWS_WITH_AS(Sgd({{"w", w.to(Dtype::bf16)}}), "[sgd] parameter 'w' is bf16, expected f32 or f64",
                       ShapeError);
  Tensor v = Tensor::ones({2});
  v.set_grad(Tensor::ones({2}, Dtype::f64));
  Sgd optimizer({{"v", v}});
  CHECK_THROWS_WITH_AS(optimizer.step(0.1), "[sgd] gradient of 'v' is f64 on cpu, the parameter f32 on cpu",
                       ShapeError);
  CHECK_THROWS_WITH_AS(optimizer.step(NAN), "[sgd] learning rate nan is not finite", ShapeError);
}

TEST_CASE("empty parameters are accepted") {
  Tensor w = Tensor::empty({0, 3});
  w.set_grad(Tensor::empty({0, 3}));
  Sgd optimizer({{"w", w}});
  optimizer.step(0.1);
  CHECK(w.numel() == 0);
}

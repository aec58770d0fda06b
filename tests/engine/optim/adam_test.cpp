#include "engine/optim/adam.h"

#include "engine/cpu/parallel.h"
#include "tests/engine/optim/trajectory.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

MakeOptimizer adam(bool decoupled) {
  return [decoupled](Optimizer::Named parameters, const nlohmann::json& params) {
    return std::make_unique<Adam>(std::move(parameters),
                                  AdamOptions{params.at("betas")[0], params.at("betas")[1], params.at("eps"),
                                              params.at("weight_decay"), decoupled, params.at("amsgrad")});
  };
}

}  // namespace

TEST_CASE("adam follows the reference trajectories") {
  check_trajectories("Adam", adam(false));
}
TEST_CASE("adamw follows the reference trajectories") {
  check_trajectories("AdamW", adam(true));
}

TEST_CASE("adam's first step has the length of the learning rate") {
  Tensor w = Tensor::from<double>({1, 1}, {2});
  Adam optimizer({{"w", w}});
  w.set_grad(Tensor::from<double>({1e-3, -50}, {2}));
  optimizer.step(0.01);
  CHECK(values(w)[0] == doctest::Approx(0.99).epsilon(1e-6));
  CHECK(values(w)[1] == doctest::Approx(1.01).epsilon(1e-6));
}

TEST_CASE("adam has the same bits for every thread count") {
  const auto run = [](int threads) {
    cpu::set_threads(threads);
    const Tensor w = drawn_parameter({50'001}, 1);
    Adam optimizer({{"w", w}}, {0.9, 0.999, 1e-8, 0.05, true, false});
    for (int step = 0; step < 3; ++step) optimizer.step(0.1);
    cpu::set_threads(0);
    return w;
  };
  CHECK(same_bits(run(1), run(6)));
}

TEST_CASE("adam rejects options out of range") {
  const Optimizer::Named none;
  AdamOptions options;
  options.beta1 = 1;
  CHECK_THROWS_WITH_AS(Adam(none, options), "[adam] beta1 1, expected 0 <= beta1 < 1", ConfigError);
  options = {};
  options.beta2 = -1;
  CHECK_THROWS_WITH_AS(Adam(none, options), "[adam] beta2 -1, expected 0 <= beta2 < 1", ConfigError);
  options = {};
  options.epsilon = 0;
  CHECK_THROWS_WITH_AS(Adam(none, options), "[adam] epsilon 0, expected more than 0", ConfigError);
  options = {};
  options.weight_decay = -1;
  CHECK_THROWS_WITH_AS(Adam(none, options), "[adam] weight_decay -1, expected at least 0", ConfigError);
}

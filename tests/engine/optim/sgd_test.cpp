#include "engine/optim/sgd.h"

#include "engine/cpu/parallel.h"
#include "tests/engine/optim/trajectory.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("sgd follows the reference trajectories") {
  check_trajectories("SGD", [](Optimizer::Named parameters, const nlohmann::json& params) {
    return std::make_unique<Sgd>(std::move(parameters),
                                 SgdOptions{params.at("momentum"), params.at("nesterov"),
                                            params.at("weight_decay"), params.at("dampening")});
  });
}

TEST_CASE("sgd by hand: two steps with momentum, weight decay and nesterov") {
  Tensor w = Tensor::from<double>({2}, {1});
  Sgd sgd({{"w", w}}, {0.5, true, 0.1, 0});
  w.set_grad(Tensor::from<double>({1}, {1}));
  sgd.step(0.1);  // g = 1.2, v = 1.2, step 1.2 + 0.6
  CHECK(w.item() == doctest::Approx(1.82).epsilon(1e-15));
  sgd.step(0.1);  // g = 1.182, v = 1.782, step 1.182 + 0.891
  CHECK(w.item() == doctest::Approx(1.6127).epsilon(1e-15));
}

TEST_CASE("sgd has the same bits for every thread count") {
  const auto run = [](int threads) {
    cpu::set_threads(threads);
    const Tensor big = drawn_parameter({3, 40'000}, 1), small = drawn_parameter({7}, 2);
    Sgd sgd({{"big", big}, {"small", small}}, {0.9, true, 5e-4, 0});
    for (int step = 0; step < 3; ++step) sgd.step(0.1);
    cpu::set_threads(0);
    return std::pair(big, small);
  };
  const auto one = run(1), six = run(6);
  CHECK(same_bits(one.first, six.first));
  CHECK(same_bits(one.second, six.second));
}

TEST_CASE("sgd rejects options out of range") {
  const Optimizer::Named none;
  CHECK_THROWS_WITH_AS(Sgd(none, {1.0, false, 0, 0}), "[sgd] momentum 1, expected 0 <= momentum < 1",
                       ConfigError);
  CHECK_THROWS_WITH_AS(Sgd(none, {0.9, false, -1, 0}), "[sgd] weight_decay -1, expected at least 0",
                       ConfigError);
  CHECK_THROWS_WITH_AS(Sgd(none, {0.9, false, 0, 2}), "[sgd] dampening 2, expected 0 to 1", ConfigError);
  CHECK_THROWS_WITH_AS(Sgd(none, {0, true, 0, 0}),
                       "[sgd] nesterov needs momentum > 0 and dampening 0, got 0 and 0", ConfigError);
}

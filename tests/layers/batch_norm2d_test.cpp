// Batch normalisation as a layer: statistics, modes, the activation that follows.
#include "layers/batch_norm2d.h"

#include "engine/ops/batch_norm.h"
#include "tests/layers/check_layer.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("batch norm starts as PyTorch's") {
  BatchNorm2d norm(3);
  CHECK(names_of(norm.state()) ==
        std::vector<std::string>{"weight", "bias", "running_mean", "running_var", "num_batches_tracked"});
  CHECK(values(state_of(norm, "weight")) == std::vector<double>{1, 1, 1});
  CHECK(values(state_of(norm, "running_var")) == std::vector<double>{1, 1, 1});
  CHECK(state_of(norm, "num_batches_tracked").shape() == Shape{});
  CHECK(norm.parameter_count() == 6);
}

TEST_CASE("batch norm tracks statistics in training with its momentum, and uses them in evaluation") {
  BatchNorm2d norm(1, {.momentum = 0.9});
  const Tensor x = Tensor::from<float>({1, 3, 5, 7}, {2, 2, 1, 1});  // mean 4, unbiased variance 20 / 3
  const Tensor y = norm(x, training_context());
  CHECK(values(y)[0] == doctest::Approx(-3 / std::sqrt(5.0)).epsilon(1e-5));
  CHECK(state_of(norm, "running_mean").to_vector<float>()[0] == doctest::Approx(0.9 * 4));
  CHECK(state_of(norm, "running_var").to_vector<float>()[0] == doctest::Approx(0.1 + 0.9 * 20 / 3));
  CHECK(state_of(norm, "num_batches_tracked").item() == 1);
  norm(x, training_context());
  CHECK(state_of(norm, "num_batches_tracked").item() == 2);

  const Tensor before = state_of(norm, "running_mean").clone();
  const Tensor evaluated = norm(x, {});
  const double mean = state_of(norm, "running_mean").item(), var = state_of(norm, "running_var").item();
  CHECK(values(evaluated)[3] == doctest::Approx((7 - mean) / std::sqrt(var + 1e-5)).epsilon(1e-5));
  CHECK(same_bits(state_of(norm, "running_mean"), before));
  CHECK(state_of(norm, "num_batches_tracked").item() == 2);

  norm.initialize(Key(1));  // a fresh start forgets what was tracked
  CHECK(state_of(norm, "num_batches_tracked").item() == 0);
  CHECK(state_of(norm, "running_mean").item() == 0);
}

TEST_CASE(
    "batch norm with held statistics does in training what it does in evaluation, and changes nothing") {
  BatchNorm2d norm(2);
  const Tensor x = random_normal({3, 2, 2, 2}, Key(4));
  norm(x, training_context());
  norm.hold_statistics();
  const Module::Named state = norm.state();
  std::vector<Tensor> before;
  for (const auto& [name, tensor] : state) before.push_back(tensor.clone());
  const Tensor y = norm(x, training_context());
  CHECK(same_bits(y, norm(x, Context::evaluation())));
  for (std::size_t i = 0; i < state.size(); ++i) CHECK(same_bits(state[i].second, before[i]));
  check_layer_gradients(norm, x, training_context());
}

TEST_CASE("batch norm applies its activation") {
  const Tensor x = random_normal({2, 3, 3, 2}, Key(1));
  BatchNorm2d plain(2), rectified(2, {.activation = ActivationKind::relu}),
      smooth(2, {.activation = ActivationKind::gelu});
  for (const Context& context : {training_context(), Context::evaluation()}) {
    const Tensor y = plain(x, context);
    CHECK(relative_error(rectified(x, context), relu(y)) < 1e-6);
    CHECK(relative_error(smooth(x, context), gelu(y)) < 1e-6);
  }
}

TEST_CASE("batch norm gradients in both modes") {
  const Tensor x = random_normal({2, 2, 3, 2}, Key(2));
  for (const ActivationKind kind : {ActivationKind::identity, ActivationKind::relu, ActivationKind::gelu}) {
    BatchNorm2d norm(2, {.activation = kind});
    check_layer_gradients(norm, x, training_context());
    check_layer_gradients(norm, x, Context::evaluation());
  }
}

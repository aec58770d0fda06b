#include "engine/ops/batch_norm.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "engine/cpu/cpu_features.h"
#include "engine/cpu/parallel.h"
#include "engine/io/safetensors.h"
#include "engine/ops/permute.h"
#include "tests/check_op.h"
#include "tests/golden.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

/// The parameters and buffers of a layer with `channels` channels.
struct Layer {
  Tensor weight, bias, mean, variance;
  explicit Layer(std::int64_t channels, Dtype dtype = Dtype::f32)
      : weight(random_uniform(Shape{channels}, Key(11), 0.5, 1.5, dtype)),
        bias(random_normal(Shape{channels}, Key(12), 0, 1, dtype)),
        mean(random_normal(Shape{channels}, Key(13), 0, 1, dtype)),
        variance(random_uniform(Shape{channels}, Key(14), 0.5, 1.5, dtype)) {}
};

Tensor run(const Tensor& x, Layer& layer, bool train, const BatchNormOptions& options) {
  return train ? batch_norm_train(x, layer.weight, layer.bias, layer.mean, layer.variance, options)
               : batch_norm_eval(x, layer.weight, layer.bias, layer.mean, layer.variance, options);
}

/// Output and gradients of one layer on x [.., c].
std::vector<Tensor> all_results(const Tensor& x, bool train, bool relu) {
  Layer layer(x.dim(-1));
  Tensor input = x.clone();
  for (Tensor* t : {&input, &layer.weight, &layer.bias}) t->set_requires_grad();
  BatchNormOptions options;
  options.relu = relu;
  const Tensor y = run(input, layer, train, options);
  backward(y, random_normal(x.shape(), Key(15)));
  return {y.detach(), input.grad(), layer.weight.grad(), layer.bias.grad(), layer.mean, layer.variance};
}

}  // namespace

TEST_CASE("batch_norm small values by hand") {
  // Channel 0: values 1 and 3, mean 2, variance 1. Channel 1: constant, so it is only shifted.
  const Tensor x = Tensor::from(std::vector<double>{1, 5, 3, 5}, Shape{2, 2});
  Layer layer(2, Dtype::f64);
  layer.weight.copy_from(Tensor::from(std::vector<double>{2, 2}, Shape{2}));
  layer.bias.copy_from(Tensor::from(std::vector<double>{1, -1}, Shape{2}));
  layer.mean.copy_from(Tensor::zeros(Shape{2}, Dtype::f64));
  layer.variance.copy_from(Tensor::ones(Shape{2}, Dtype::f64));
  BatchNormOptions options;
  options.epsilon = 0.0;
  options.momentum = 0.25;
  CHECK(values(batch_norm_eval(x, layer.weight, layer.bias, layer.mean, layer.variance, options)) ==
        std::vector<double>{3, 9, 7, 9});
  options.epsilon = 1e-12;
  const std::vector<double> y = values(run(x, layer, true, options));
  CHECK(y[0] == doctest::Approx(-1));
  CHECK(y[2] == doctest::Approx(3));
  CHECK(y[1] == -1);
  CHECK(values(layer.mean) == std::vector<double>{0.5, 1.25});
  CHECK(values(layer.variance) == std::vector<double>{0.75 + 0.25 * 2, 0.75});
  options.relu = true;
  CHECK(values(run(x, layer, true, options))[0] == 0);
}

TEST_CASE("batch_norm gradients") {
  for (const bool train : {true, false})
    for (const bool relu : {false, true}) {
      BatchNormOptions options;
      options.relu = relu;
      check_gradients(
          [&](const std::vector<Tensor>& in) {
            Layer layer(3, Dtype::f64);
            layer.weight = in[1], layer.bias = in[2];
            return run(in[0], layer, train, options);
          },
          {random_normal(Shape{2, 3, 2, 3}, Key(1)), random_normal(Shape{3}, Key(2)),
           random_normal(Shape{3}, Key(3))});
    }
}

TEST_CASE("batch_norm relu passes no gradient at 0 and keeps NaN") {
  Tensor x = Tensor::from(std::vector<float>{0, 1, NAN}, Shape{3, 1}), one = Tensor::ones(Shape{1}),
         zero = Tensor::zeros(Shape{1});
  x.set_requires_grad();
  BatchNormOptions options;
  options.relu = true;
  const Tensor y = batch_norm_eval(x, one, zero, zero, one, options);
  CHECK(std::isnan(values(y)[2]));
  backward(y, Tensor::ones(y.shape()));
  CHECK(values(x.grad())[0] == 0);
  CHECK(values(x.grad())[1] > 0.9);
}

TEST_CASE(
    "batch_norm in f32 agrees with f64 on every instruction set, with the same bits for any number of "
    "threads") {
  const cpu::Isa before = cpu::active_isa();
  for (const Shape& shape :
       {Shape{7, 5, 3, 3}, Shape{40, 16, 16, 16}, Shape{9, 8, 8, 130}, Shape{3, 1}, Shape{1000, 10}}) {
    const Tensor x = random_normal(shape, Key(1), 3, 2);
    for (const bool train : {true, false}) {
      Layer wide(shape[-1], Dtype::f64), narrow(shape[-1]);
      wide.weight.copy_from(narrow.weight.to(Dtype::f64));
      wide.bias.copy_from(narrow.bias.to(Dtype::f64));
      wide.mean.copy_from(narrow.mean.to(Dtype::f64));
      wide.variance.copy_from(narrow.variance.to(Dtype::f64));
      const Tensor want = run(x.to(Dtype::f64), wide, train, {});
      std::vector<Tensor> first;
      for (const cpu::Isa isa : cpu::usable_isas()) {
        cpu::set_isa(isa);
        Layer layer(shape[-1]);
        CHECK(relative_error(run(x, layer, train, {}), want) < 2e-6);
        for (const int threads : {1, 2, 4}) {
          cpu::set_threads(threads);
          const std::vector<Tensor> results = all_results(x, train, true);
          if (first.empty()) first = results;
          for (std::size_t i = 0; i < results.size(); ++i) CHECK(same_bits(results[i], first[i]));
        }
        cpu::set_threads(0);
      }
    }
  }
  cpu::set_isa(before);
}

TEST_CASE("batch_norm stays accurate when the mean is large against the deviation") {
  const Tensor x = random_normal(Shape{4096, 8}, Key(1), 1000, 0.05);
  Layer layer(8), wide(8, Dtype::f64);
  wide.weight.copy_from(layer.weight.to(Dtype::f64));
  wide.bias.copy_from(layer.bias.to(Dtype::f64));
  CHECK(relative_error(run(x, layer, true, {}), run(x.to(Dtype::f64), wide, true, {})) < 2e-6);
}

TEST_CASE("batch_norm error texts") {
  Layer layer(3);
  CHECK(message_of([&] {
          run(Tensor::zeros(Shape{1, 1, 1, 3}), layer, true, {});
        }) == "[batch_norm] training needs more than one value per channel, got x of shape [1, 1, 1, 3]");
  CHECK(message_of([&] {
          run(Tensor::zeros(Shape{2, 4}), layer, true, {});
        }) == "[batch_norm] expects weight [4] for x of shape [2, 4], got shape [3]");
  CHECK(message_of([&] {
          run(Tensor::zeros(Shape{2, 3}, Dtype::i64), layer, false, {});
        }) == "[batch_norm] expects a floating dtype (f32, bf16, f64), got i64");
}

TEST_CASE("batch_norm golden values") {
  const auto manifest = read_json(fixture_path("ops/manifest.json"));
  const Safetensors arrays = read_safetensors(fixture_path("ops/batch_norm.safetensors"));
  int seen = 0;
  for (const auto& entry : manifest.at("cases")) {
    if (entry.at("op") != "batch_norm") continue;
    const std::string name = entry.at("name");
    CAPTURE(name);
    const auto array = [&](const std::string& part) {
      return arrays.at(name + "/" + part).to(Dtype::f32).clone();
    };
    const auto last = [](const Tensor& t) { return t.rank() == 4 ? to_channels_last(t) : t; };
    const auto first = [](const Tensor& t) { return t.rank() == 4 ? to_channels_first(t) : t; };
    const double limit = std::max(10 * entry.at("float32_rel_err").get<double>(), 2e-6);
    BatchNormOptions options;
    options.epsilon = entry.at("attrs").at("eps");
    options.momentum = entry.at("attrs").at("momentum");
    const bool train = entry.at("attrs").at("training");
    Tensor x = last(array("x"));
    Layer layer(1);
    layer.weight = array("weight"), layer.bias = array("bias");
    layer.mean = array("running_mean"), layer.variance = array("running_var");
    for (Tensor* t : {&x, &layer.weight, &layer.bias}) t->set_requires_grad();
    const Tensor y = run(x, layer, train, options);
    CHECK(relative_error(first(y.detach()), arrays.at(name + "/y")) <= limit);
    backward(y, last(array("g_y")));
    CHECK(relative_error(first(x.grad()), arrays.at(name + "/grad_x")) <= limit);
    CHECK(relative_error(layer.weight.grad(), arrays.at(name + "/grad_weight")) <= limit);
    CHECK(relative_error(layer.bias.grad(), arrays.at(name + "/grad_bias")) <= limit);
    if (train) {
      CHECK(relative_error(layer.mean, arrays.at(name + "/running_mean_out")) <= limit);
      CHECK(relative_error(layer.variance, arrays.at(name + "/running_var_out")) <= limit);
    }
    ++seen;
  }
  CHECK(seen == 14);
}

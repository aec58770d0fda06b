// Replays the reference trajectories of the optimizers: the loss 0.5 sum(a (w - c)^2) over 40 steps, with the
// learning rate divided by ten from step 20 on.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>

#include "engine/io/safetensors.h"
#include "engine/optim/optimizer.h"
#include "tests/check_op.h"
#include "tests/golden.h"

namespace noisymix::testing {

using MakeOptimizer =
    std::function<std::unique_ptr<Optimizer>(Optimizer::Named, const nlohmann::json& params)>;

/// Largest gap between our weights and the reference over all steps. The gradient a (w - c) is written by
/// hand, so that only the update is under test.
inline double trajectory_gap(const nlohmann::json& entry, Dtype dtype, const MakeOptimizer& make) {
  static const Safetensors file = read_safetensors(fixture_path("training/training.safetensors"));
  const Tensor want = file.at(entry.at("tensor"));
  const auto a = values(file.at("opt/a")), c = values(file.at("opt/c"));
  Tensor w = file.at("opt/w0").to(dtype).clone();
  const auto optimizer = make({{"w", w}}, entry.at("params"));
  const std::int64_t width = w.numel();
  double gap = 0;
  for (std::int64_t step = 0; step + 1 < want.dim(0); ++step) {
    const auto now = values(w);
    std::vector<double> slope(now.size());
    for (std::size_t i = 0; i < now.size(); ++i) slope[i] = a[i] * (now[i] - c[i]);
    w.set_grad(Tensor::from(slope, {width}).to(dtype));
    optimizer->step(entry.at("params").at("lr").get<double>() * (step >= 20 ? 0.1 : 1));
    gap = std::max(gap, relative_error(w, want.rows(step + 1, step + 2).reshape({width})));
  }
  return gap;
}

/// Checks every reference run of one kind of optimizer, in both precisions.
inline void check_trajectories(const std::string& kind, const MakeOptimizer& make) {
  const nlohmann::json manifest = read_json(fixture_path("training/manifest.json"));
  int runs = 0;
  for (const auto& entry : manifest.at("optimizers").at("list")) {
    if (entry.at("optimizer") != kind) continue;
    INFO("run " << entry.at("name").get<std::string>());
    CHECK(trajectory_gap(entry, Dtype::f64, make) <= 1e-12);
    CHECK(trajectory_gap(entry, Dtype::f32, make) <= 1e-5);
    ++runs;
  }
  CHECK(runs >= 2);
}

/// A parameter with a gradient, both from a key.
inline Tensor drawn_parameter(const Shape& shape, int number, Dtype dtype = Dtype::f32) {
  Tensor w = random_normal(shape, Key(5).child(number), 0, 1, dtype);
  w.set_requires_grad();
  w.set_grad(random_normal(shape, Key(6).child(number), 0, 1, dtype));
  return w;
}

}  // namespace noisymix::testing

// Checks that every op's test makes: analytic gradients against central differences in f64, the same bits for any number
// of threads, the text of an error.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "engine/autograd.h"
#include "engine/cpu/parallel.h"
#include "engine/key.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/random.h"
#include "engine/ops/reduce.h"

namespace noisymix::testing {

using OpFunction = std::function<Tensor(const std::vector<Tensor>&)>;

/// All elements as double.
inline std::vector<double> values(const Tensor& x) { return x.detach().to(Device{}).to(Dtype::f64).to_vector<double>(); }

/// Largest |a - b| / (max |b| + 0.001), the measure of the golden files. Shapes must agree.
inline double relative_error(const Tensor& got, const Tensor& want) {
  REQUIRE_MESSAGE(got.shape() == want.shape(), "shape " << got.shape().str() << " expected " << want.shape().str());
  const auto a = values(got), b = values(want);
  double worst = 0, scale = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double gap = std::abs(a[i] - b[i]);
    worst = std::isfinite(gap) ? std::max(worst, gap) : INFINITY;
    scale = std::max(scale, std::abs(b[i]));
  }
  return worst / (scale + 0.001);
}

/// Checks the gradient of sum(op(inputs) * g), g fixed and random, for every floating input in f64. Inputs must stay
/// clear of kinks by more than `step`.
inline void check_gradients(const OpFunction& op, std::vector<Tensor> inputs, double tolerance = 1e-6,
                            double step = 1e-5) {
  for (Tensor& input : inputs) {
    if (!is_floating(input.dtype())) continue;
    input = input.detach().to(Dtype::f64).clone();
    input.set_requires_grad();
  }
  const Tensor y = op(inputs);
  const Tensor g = random_normal(y.shape(), Key(99), 0, 1, Dtype::f64);
  backward(y, g);
  const auto objective = [&] {
    NoGrad unrecorded;
    return sum(mul(op(inputs), g)).item();
  };
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (!is_floating(inputs[k].dtype())) continue;
    REQUIRE_MESSAGE(inputs[k].grad().defined(), "input " << k << " received no gradient");
    const auto analytic = values(inputs[k].grad());
    double* x = inputs[k].mutable_data<double>();
    for (std::size_t i = 0; i < analytic.size(); ++i) {
      const double saved = x[i];
      x[i] = saved + step;
      const double high = objective();
      x[i] = saved - step;
      const double low = objective();
      x[i] = saved;
      const double numeric = (high - low) / (2 * step);
      CHECK_MESSAGE(std::abs(numeric - analytic[i]) <= tolerance * std::max(1.0, std::abs(numeric)),
                    "input " << k << " element " << i << ": analytic " << analytic[i] << ", numeric " << numeric);
    }
  }
}

/// Whether both hold the same bytes.
inline bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

/// Checks that run() returns the same tensors, bit for bit, with 1, 2 and 4 threads.
inline void check_same_bits_for_any_threads(const std::function<std::vector<Tensor>()>& run) {
  const int before = cpu::threads();
  cpu::set_threads(1);
  const std::vector<Tensor> expected = run();
  REQUIRE(!expected.empty());
  for (const int count : {2, 4}) {
    cpu::set_threads(count);
    const std::vector<Tensor> got = run();
    REQUIRE(got.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
      CHECK_MESSAGE(same_bits(got[i], expected[i]), "tensor " << i << " differs with " << count << " threads");
  }
  cpu::set_threads(before);
}

/// What a ShapeError thrown by the body says.
inline std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const ShapeError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace noisymix::testing

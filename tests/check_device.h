// Checks that a GPU computes what the CPU computes: results and gradients of an op, in f64, f32 and bf16.
#pragma once

#include <optional>
#include <vector>

#include "engine/backend.h"
#include "tests/check_op.h"
#include "tests/skipped.h"

namespace noisymix::testing {

/// The first GPU; without one the test case is reported as skipped.
inline std::optional<Device> gpu() {
  for (const Device& device : available_devices())
    if (!device.is_cpu()) return device;
  report_skipped("needs a CUDA device");
  return std::nullopt;
}

/// Largest relative_error() allowed between the devices; a negative one leaves the dtype out.
struct DeviceTolerance {
  double f64 = 1e-12, f32 = 3e-6, bf16 = 1e-2;
};

struct OpResults {
  Tensor y;
  std::vector<Tensor> gradients;  ///< of sum(y * g) by each floating input, g fixed and random
};

/// Runs the op and its gradient on a device with floating inputs in `dtype`; the results are on the CPU.
inline OpResults run_on(Device device, Dtype dtype, const OpFunction& op, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> placed;
  for (const Tensor& input : inputs) {
    const bool floating = is_floating(input.dtype());
    placed.push_back((floating ? input.detach().to(dtype) : input.detach()).to(device).clone());
    if (floating) placed.back().set_requires_grad();
  }
  OpResults results;
  const Tensor y = op(placed);
  REQUIRE(y.device() == device);
  results.y = y.detach().to(Device{});
  if (y.tracks_grad() && y.numel() > 0)
    backward(y, random_normal(y.shape(), Key(99), 0, 1, Dtype::f64).to(y.dtype()).to(device));
  for (const Tensor& input : placed)
    if (is_floating(input.dtype()) && input.grad().defined()) {
      REQUIRE(input.grad().device() == device);
      results.gradients.push_back(input.grad().to(Device{}));
    }
  return results;
}

/// Compares the CPU's and the GPU's results of an op for the three floating dtypes.
inline void check_devices_agree(const char* name, const OpFunction& op, const std::vector<Tensor>& inputs,
                                const DeviceTolerance& tolerance = {}) {
  const std::optional<Device> device = gpu();
  if (!device) return;
  const auto compare = [&](Dtype dtype, double limit) {
    if (limit < 0) return;
    const OpResults want = run_on(Device{}, dtype, op, inputs), got = run_on(*device, dtype, op, inputs);
    INFO(name << " in " << name_of(dtype));
    CHECK(got.y.dtype() == want.y.dtype());
    CHECK_MESSAGE(relative_error(got.y, want.y) <= limit, "result: " << relative_error(got.y, want.y));
    REQUIRE(got.gradients.size() == want.gradients.size());
    for (std::size_t i = 0; i < want.gradients.size(); ++i)
      CHECK_MESSAGE(relative_error(got.gradients[i], want.gradients[i]) <= limit,
                    "gradient " << i << ": " << relative_error(got.gradients[i], want.gradients[i]));
  };
  compare(Dtype::f64, tolerance.f64);
  compare(Dtype::f32, tolerance.f32);
  compare(Dtype::bf16, tolerance.bf16);
}

}  // namespace noisymix::testing

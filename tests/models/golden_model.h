// Models with the weights, inputs and labels that the reference values were made with (hash formula,
// golden.h).
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "engine/io/torch_layout.h"
#include "engine/ops/permute.h"
#include "models/registry.h"
#include "tests/check_op.h"
#include "tests/golden.h"

namespace noisymix::testing {

/// f64 values rounded to f32, as the reference rounded its own, in the given dtype.
inline Tensor rounded(const std::vector<double>& values, const Shape& shape, Dtype dtype) {
  return Tensor::from(std::vector<float>(values.begin(), values.end()), shape).to(dtype);
}

/// One entry of a state dict in PyTorch's layout, filled by its kind.
inline Tensor golden_entry(const std::string& name, const Shape& shape, std::uint32_t stream, Dtype dtype) {
  if (name.ends_with("num_batches_tracked")) return Tensor::zeros(shape, Dtype::i64);
  double scale = 0.1, offset = 0;
  const bool is_variance = name.ends_with("running_var");
  if (is_variance) scale = 0.5, offset = 1;
  if (name.ends_with("class_emb") || name.ends_with("positional_emb")) scale = 0.2;
  if (name.ends_with("weight")) {
    if (shape.rank() == 4)
      scale = std::sqrt(6.0 / static_cast<double>(shape[1] * shape[2] * shape[3]));
    else if (shape.rank() == 2)
      scale = std::sqrt(3.0 / static_cast<double>(shape[1]));
    else
      offset = 1;
  }
  std::vector<double> values(static_cast<std::size_t>(shape.numel()));
  for (std::size_t e = 0; e < values.size(); ++e) {
    const double u = golden_u(stream, static_cast<std::uint32_t>(e));
    values[e] = offset + scale * (is_variance ? std::abs(u) : u);
  }
  return rounded(values, shape, dtype);
}

inline void load_golden_weights(Model& model, std::uint32_t base, Dtype dtype) {
  model.to(dtype);
  Safetensors file = to_torch_layout(model.state());
  std::uint32_t stream = base;
  for (auto& [name, value] : file.tensors) value = golden_entry(name, value.shape(), stream++, dtype);
  model.load_state(from_torch_layout(file));
}

/// The input of a reference case, NHWC for images.
inline Tensor golden_input(const std::vector<std::int64_t>& dims, std::uint32_t base, Dtype dtype) {
  const Shape shape(dims);
  std::vector<double> values(static_cast<std::size_t>(shape.numel()));
  for (std::size_t e = 0; e < values.size(); ++e)
    values[e] = golden_u(base + 0x40000, static_cast<std::uint32_t>(e)) * std::sqrt(3.0);
  const Tensor x = rounded(values, shape, dtype);
  return shape.rank() == 4 ? to_channels_last(x) : x;
}

/// A tensor's values in the element order of PyTorch's layout (weights and images alike).
inline std::vector<double> torch_order(const Tensor& x) {
  return values(x.rank() == 4 ? to_channels_first(x.detach()) : x);
}

/// The sampled elements of a tensor: positions hash32(stream, j) mod numel.
inline std::vector<double> golden_samples(const std::vector<double>& x, std::uint32_t stream, int count) {
  std::vector<double> result;
  for (int j = 0; j < count; ++j)
    result.push_back(x[golden_hash32(stream, static_cast<std::uint32_t>(j)) % x.size()]);
  return result;
}

inline double sum_of(const std::vector<double>& x) {
  double total = 0;
  for (const double v : x) total += v;
  return total;
}

inline double norm_of(const std::vector<double>& x) {
  double total = 0;
  for (const double v : x) total += v * v;
  return std::sqrt(total);
}

/// |got - want| / |want| in the L2 norm.
inline double l2_distance(const std::vector<double>& got, const double* want) {
  double gap = 0, scale = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    gap += (got[i] - want[i]) * (got[i] - want[i]);
    scale += want[i] * want[i];
  }
  return std::sqrt(gap) / (std::sqrt(scale) + 1e-30);
}

}  // namespace noisymix::testing

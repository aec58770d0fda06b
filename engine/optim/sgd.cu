#include "engine/optim/sgd.h"

#include "engine/cuda/launch.h"
#include "engine/cuda/step_values.h"
#include "engine/cuda/tensor_table.cuh"

namespace noisymix::cuda {
namespace {

template <typename T>
struct SgdStep {
  T decay, keep, take;  // weight decay, momentum, 1 - dampening
  bool nesterov;
};

/// Arrays: weight, gradient, velocity (null without momentum).
template <typename T>
__global__ void sgd_kernel(TensorTable<3> table, const double* rate, const std::int32_t* held_back,
                           SgdStep<T> k) {
  if (held_back != nullptr && *held_back != 0) return;
  const TablePiece piece(table);
  T* w = static_cast<T*>(table.at[0][piece.tensor]);
  const T* grad = static_cast<const T*>(table.at[1][piece.tensor]);
  T* velocity = static_cast<T*>(table.at[2][piece.tensor]);
  const T lr = static_cast<T>(*rate);
  const auto update = [&](T weight, T g, T& v) {
    g += k.decay * weight;
    if (velocity == nullptr) return weight - lr * g;
    v = k.keep * v + k.take * g;
    return weight - lr * (k.nesterov ? g + k.keep * v : v);
  };
  constexpr int n = kPack<T>;
  const std::int64_t whole = piece.begin + (piece.end - piece.begin) / n * n;
  for (std::int64_t i = piece.begin + n * static_cast<std::int64_t>(threadIdx.x); i < whole;
       i += n * static_cast<std::int64_t>(blockDim.x)) {
    Pack<T, n> weights = load_pack<n>(w + i), gradients = load_pack<n>(grad + i), velocities{};
    if (velocity != nullptr) velocities = load_pack<n>(velocity + i);
#pragma unroll
    for (int j = 0; j < n; ++j) weights.at[j] = update(weights.at[j], gradients.at[j], velocities.at[j]);
    store_pack<n>(w + i, weights);
    if (velocity != nullptr) store_pack<n>(velocity + i, velocities);
  }
  for (std::int64_t i = whole + threadIdx.x; i < piece.end; i += blockDim.x) {
    T v = velocity != nullptr ? velocity[i] : T(0);
    w[i] = update(w[i], grad[i], v);
    if (velocity != nullptr) velocity[i] = v;
  }
}

template <typename T>
void update_all(Sweep& sweep, const SgdOptions& options, const Tensor& rate, bool first) {
  TensorTable<3> table{};
  const SgdStep<T> step{static_cast<T>(options.weight_decay), static_cast<T>(options.momentum),
                        static_cast<T>(first ? 1 : 1 - options.dampening), options.nesterov};
  const std::int32_t* held_back = sweep.held_back.defined() ? sweep.held_back.data<std::int32_t>() : nullptr;
  const auto flush = [&] {
    if (table.tensors > 0)
      launch(sgd_kernel<T>, table.blocks(), kBlock, table, reinterpret_cast<const double*>(rate.raw()),
             held_back, step);
    table = {};
  };
  for (ParameterUpdate& u : sweep.updates) {
    // Velocities start as 0, so v = g at a parameter's first step whatever the dampening.
    if (u.weight.dtype() != dtype_of<T>() || (u.steps == 1) != first || u.weight.numel() == 0) continue;
    const void* const arrays[3] = {u.weight.raw(), u.grad.raw(),
                                   u.memory.empty() ? nullptr : u.memory[0].raw()};
    if (table.add(arrays, u.weight.numel())) continue;
    flush();
    table.add(arrays, u.weight.numel());
  }
  flush();
}

}  // namespace

void sgd(Sweep& sweep, const SgdOptions& options, double learning_rate) {
  const Tensor rate = upload("learning_rate", &learning_rate, sizeof learning_rate, sweep.device());
  for (const bool first : {true, false}) {
    update_all<float>(sweep, options, rate, first);
    update_all<double>(sweep, options, rate, first);
  }
}

}  // namespace noisymix::cuda

#include "engine/cuda/launch.h"
#include "engine/cuda/step_values.h"
#include "engine/cuda/tensor_table.cuh"
#include "engine/optim/adam.h"

namespace noisymix::cuda {
namespace {

template <typename T>
struct AdamStep {
  T beta1, rest1, beta2, rest2, epsilon, decay, shrink_per_rate;  // the last is 0 unless decay is decoupled
};

/// Arrays: weight, gradient, both moments, the largest second moment (null without amsgrad).
template <typename T>
__global__ void adam_kernel(TensorTable<5> table, const AdamRate* rates, const std::int32_t* held_back,
                            AdamStep<T> k) {
  if (held_back != nullptr && *held_back != 0) return;
  const TablePiece piece(table);
  T* w = static_cast<T*>(table.at[0][piece.tensor]);
  const T* grad = static_cast<const T*>(table.at[1][piece.tensor]);
  T* first = static_cast<T*>(table.at[2][piece.tensor]);
  T* second = static_cast<T*>(table.at[3][piece.tensor]);
  T* largest = static_cast<T*>(table.at[4][piece.tensor]);
  const T rate = static_cast<T>(rates->rate), root_bias = static_cast<T>(rates->root_bias);
  const T shrink = T(1) - static_cast<T>(rates->learning_rate) * k.shrink_per_rate;
  for (std::int64_t i = piece.begin + threadIdx.x; i < piece.end; i += blockDim.x) {
    const T g = grad[i] + k.decay * w[i];
    first[i] = k.beta1 * first[i] + k.rest1 * g;
    second[i] = k.beta2 * second[i] + k.rest2 * g * g;
    T scale = second[i];
    if (largest != nullptr) scale = largest[i] = largest[i] > second[i] ? largest[i] : second[i];
    w[i] = shrink * w[i] - rate * first[i] / (std::sqrt(scale) / root_bias + k.epsilon);
  }
}

template <typename T>
void update_all(Sweep& sweep, const AdamOptions& o, const Tensor& rates, std::int64_t steps) {
  TensorTable<5> table{};
  const AdamStep<T> step{static_cast<T>(o.beta1),
                         static_cast<T>(1 - o.beta1),
                         static_cast<T>(o.beta2),
                         static_cast<T>(1 - o.beta2),
                         static_cast<T>(o.epsilon),
                         static_cast<T>(o.decoupled ? 0 : o.weight_decay),
                         static_cast<T>(o.decoupled ? o.weight_decay : 0)};
  const std::int32_t* held_back = sweep.held_back.defined() ? sweep.held_back.data<std::int32_t>() : nullptr;
  const auto flush = [&] {
    if (table.tensors > 0)
      launch(adam_kernel<T>, table.blocks(), kBlock, table, reinterpret_cast<const AdamRate*>(rates.raw()),
             held_back, step);
    table = {};
  };
  for (ParameterUpdate& u : sweep.updates) {
    if (u.weight.dtype() != dtype_of<T>() || u.steps != steps || u.weight.numel() == 0) continue;
    const void* const arrays[5] = {u.weight.raw(), u.grad.raw(), u.memory[0].raw(), u.memory[1].raw(),
                                   o.amsgrad ? u.memory[2].raw() : nullptr};
    if (table.add(arrays, u.weight.numel())) continue;
    flush();
    table.add(arrays, u.weight.numel());
  }
  flush();
}

}  // namespace

void adam(Sweep& sweep, const AdamOptions& options, double learning_rate) {
  std::vector<std::int64_t> counts;  // parameters that joined later are at other steps
  for (const ParameterUpdate& u : sweep.updates)
    if (std::find(counts.begin(), counts.end(), u.steps) == counts.end()) counts.push_back(u.steps);
  for (const std::int64_t steps : counts) {
    const AdamRate rate(options, learning_rate, steps);
    const Tensor rates = upload("learning_rate", &rate, sizeof rate, sweep.device());
    update_all<float>(sweep, options, rates, steps);
    update_all<double>(sweep, options, rates, steps);
  }
}

}  // namespace noisymix::cuda

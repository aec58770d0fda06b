#include "engine/optim/adam.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/kernel.h"

namespace noisymix {
namespace cpu {
namespace {

template <typename T>
void adam_piece(ParameterUpdate& update, std::int64_t begin, std::int64_t end, const AdamOptions& options,
                double lr) {
  T* w = update.weight.mutable_data<T>();
  const T* grad = update.grad.data<T>();
  T* first = update.memory[0].mutable_data<T>();
  T* second = update.memory[1].mutable_data<T>();
  T* largest = options.amsgrad ? update.memory[2].mutable_data<T>() : nullptr;
  // Both moments start at 0; dividing by 1 - beta^t removes the bias towards it.
  const AdamRate corrected(options, lr, update.steps);
  const T rate = static_cast<T>(corrected.rate), root_bias = static_cast<T>(corrected.root_bias);
  const T beta1 = static_cast<T>(options.beta1), rest1 = static_cast<T>(1 - options.beta1);
  const T beta2 = static_cast<T>(options.beta2), rest2 = static_cast<T>(1 - options.beta2);
  const T epsilon = static_cast<T>(options.epsilon);
  const T decay = options.decoupled ? T{0} : static_cast<T>(options.weight_decay);
  const T shrink = options.decoupled ? static_cast<T>(1 - lr * options.weight_decay) : T{1};
  for (std::int64_t i = begin; i < end; ++i) {
    const T g = grad[i] + decay * w[i];
    first[i] = beta1 * first[i] + rest1 * g;
    second[i] = beta2 * second[i] + rest2 * g * g;
    T scale = second[i];
    if (largest != nullptr) scale = largest[i] = std::max(largest[i], second[i]);
    w[i] = shrink * w[i] - rate * first[i] / (std::sqrt(scale) / root_bias + epsilon);
  }
}

}  // namespace

void adam(Sweep& sweep, const AdamOptions& options, double learning_rate) {
  for_each_piece(sweep, [&](ParameterUpdate& update, std::int64_t begin, std::int64_t end) {
    if (update.weight.dtype() == Dtype::f32)
      adam_piece<float>(update, begin, end, options, learning_rate);
    else
      adam_piece<double>(update, begin, end, options, learning_rate);
  });
}

}  // namespace cpu

constexpr Kernel adam_kernel{"adam", cpu::adam, NM_CUDA(cuda::adam)};

namespace {

std::vector<std::string> memory_names(const AdamOptions& options) {
  std::vector<std::string> names{"first_moment", "second_moment"};
  if (options.amsgrad) names.push_back("largest_second_moment");
  return names;
}

void check_beta(const char* name, double beta) {
  NM_CHECK_AS(ConfigError, beta >= 0 && beta < 1, "[adam] ", name, " ", beta, ", expected 0 <= ", name,
              " < 1");
}

}  // namespace

Adam::Adam(Named parameters, const AdamOptions& options)
    : Optimizer("adam", std::move(parameters), memory_names(options)), options_(options) {
  check_beta("beta1", options.beta1);
  check_beta("beta2", options.beta2);
  NM_CHECK_AS(ConfigError, options.epsilon > 0, "[adam] epsilon ", options.epsilon, ", expected more than 0");
  NM_CHECK_AS(ConfigError, options.weight_decay >= 0, "[adam] weight_decay ", options.weight_decay,
              ", expected at least 0");
}

AdamRate::AdamRate(const AdamOptions& options, double lr, std::int64_t steps)
    : rate(lr / (1 - std::pow(options.beta1, static_cast<double>(steps)))),
      root_bias(std::sqrt(1 - std::pow(options.beta2, static_cast<double>(steps)))),
      learning_rate(lr) {}

std::vector<std::byte> Adam::packed_rate(double learning_rate, std::int64_t steps) const {
  const AdamRate rate(options_, learning_rate, steps);
  std::vector<std::byte> bytes(sizeof rate);
  std::memcpy(bytes.data(), &rate, bytes.size());
  return bytes;
}

void Adam::apply(Sweep& sweep, double learning_rate) {
  adam_kernel(sweep, options_, learning_rate);
}

}  // namespace noisymix

#include "engine/optim/sgd.h"

#include "engine/kernel.h"

namespace noisymix {
namespace cpu {
namespace {

template <typename T>
void sgd_piece(ParameterUpdate& update, std::int64_t begin, std::int64_t end, const SgdOptions& options,
               double lr) {
  T* w = update.weight.mutable_data<T>();
  const T* grad = update.grad.data<T>();
  T* velocity = update.memory.empty() ? nullptr : update.memory[0].mutable_data<T>();
  const T rate = static_cast<T>(lr), decay = static_cast<T>(options.weight_decay);
  const T keep = static_cast<T>(options.momentum);
  const T take =
      update.steps == 1 ? T{1} : static_cast<T>(1 - options.dampening);  // v starts as 0, so v = g at first
  for (std::int64_t i = begin; i < end; ++i) {
    T step = grad[i] + decay * w[i];
    if (velocity != nullptr) {
      velocity[i] = keep * velocity[i] + take * step;
      step = options.nesterov ? step + keep * velocity[i] : velocity[i];
    }
    w[i] -= rate * step;
  }
}

}  // namespace

void sgd(Sweep& sweep, const SgdOptions& options, double learning_rate) {
  for_each_piece(sweep, [&](ParameterUpdate& update, std::int64_t begin, std::int64_t end) {
    if (update.weight.dtype() == Dtype::f32)
      sgd_piece<float>(update, begin, end, options, learning_rate);
    else
      sgd_piece<double>(update, begin, end, options, learning_rate);
  });
}

}  // namespace cpu

constexpr Kernel sgd_kernel{"sgd", cpu::sgd, NM_CUDA(cuda::sgd)};

Sgd::Sgd(Named parameters, const SgdOptions& options)
    : Optimizer("sgd", std::move(parameters),
                options.momentum != 0 ? std::vector<std::string>{"momentum"} : std::vector<std::string>{}),
      options_(options) {
  NM_CHECK_AS(ConfigError, options.momentum >= 0 && options.momentum < 1, "[sgd] momentum ", options.momentum,
              ", expected 0 <= momentum < 1");
  NM_CHECK_AS(ConfigError, options.weight_decay >= 0, "[sgd] weight_decay ", options.weight_decay,
              ", expected at least 0");
  NM_CHECK_AS(ConfigError, options.dampening >= 0 && options.dampening <= 1, "[sgd] dampening ",
              options.dampening, ", expected 0 to 1");
  NM_CHECK_AS(ConfigError, !options.nesterov || (options.momentum > 0 && options.dampening == 0),
              "[sgd] nesterov needs momentum > 0 and dampening 0, got ", options.momentum, " and ",
              options.dampening);
}

void Sgd::apply(Sweep& sweep, double learning_rate) {
  sgd_kernel(sweep, options_, learning_rate);
}

}  // namespace noisymix

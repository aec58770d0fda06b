#include "engine/optim/sgd.h"

#include <cstring>

#include "engine/cpu/vectorise.h"
#include "engine/kernel.h"

namespace noisymix {
namespace cpu {
namespace {

/// What one element's step needs besides its values.
template <typename T>
struct SgdStep {
  T rate, decay, keep, take;  // learning rate, weight decay, momentum, 1 - dampening
};

template <typename T>
[[gnu::always_inline]] inline void plain_loop(T* NM_RESTRICT w, const T* NM_RESTRICT grad, std::int64_t n,
                                              SgdStep<T> k) {
  for (std::int64_t i = 0; i < n; ++i) w[i] -= k.rate * (grad[i] + k.decay * w[i]);
}

template <typename T>
[[gnu::always_inline]] inline void momentum_loop(T* NM_RESTRICT w, const T* NM_RESTRICT grad,
                                                 T* NM_RESTRICT velocity, std::int64_t n, SgdStep<T> k,
                                                 bool nesterov) {
  if (nesterov) {
    for (std::int64_t i = 0; i < n; ++i) {
      const T g = grad[i] + k.decay * w[i];
      velocity[i] = k.keep * velocity[i] + k.take * g;
      w[i] -= k.rate * (g + k.keep * velocity[i]);
    }
  } else {
    for (std::int64_t i = 0; i < n; ++i) {
      velocity[i] = k.keep * velocity[i] + k.take * (grad[i] + k.decay * w[i]);
      w[i] -= k.rate * velocity[i];
    }
  }
}

#define NM_SGD(suffix, T)                                                                                \
  NM_VECTORISED(plain_##suffix, (T * w, const T* grad, std::int64_t n, SgdStep<T> k), (w, grad, n, k)) { \
    plain_loop(w, grad, n, k);                                                                           \
  }                                                                                                      \
  NM_VECTORISED(momentum_##suffix,                                                                       \
                (T * w, const T* grad, T* v, std::int64_t n, SgdStep<T> k, bool nesterov),               \
                (w, grad, v, n, k, nesterov)) {                                                          \
    momentum_loop(w, grad, v, n, k, nesterov);                                                           \
  }                                                                                                      \
  void update_run(T* w, const T* grad, T* v, std::int64_t n, SgdStep<T> k, bool nesterov) {              \
    if (v == nullptr)                                                                                    \
      plain_##suffix(w, grad, n, k);                                                                     \
    else                                                                                                 \
      momentum_##suffix(w, grad, v, n, k, nesterov);                                                     \
  }
NM_SGD(f32, float)
NM_SGD(f64, double)
#undef NM_SGD

template <typename T>
void sgd_piece(ParameterUpdate& update, std::int64_t begin, std::int64_t end, const SgdOptions& options,
               double lr) {
  T* velocity = update.memory.empty() ? nullptr : update.memory[0].mutable_data<T>() + begin;
  const double take = update.steps == 1 ? 1 : 1 - options.dampening;  // v starts as 0, so v = g at first
  update_run(update.weight.mutable_data<T>() + begin, update.grad.data<T>() + begin, velocity, end - begin,
             SgdStep<T>{static_cast<T>(lr), static_cast<T>(options.weight_decay),
                        static_cast<T>(options.momentum), static_cast<T>(take)},
             options.nesterov);
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

std::vector<std::byte> Sgd::packed_rate(double learning_rate, std::int64_t) const {
  std::vector<std::byte> bytes(sizeof learning_rate);
  std::memcpy(bytes.data(), &learning_rate, bytes.size());
  return bytes;
}

void Sgd::apply(Sweep& sweep, double learning_rate) {
  sgd_kernel(sweep, options_, learning_rate);
}

}  // namespace noisymix

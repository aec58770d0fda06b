// The mathematics of the elementwise ops of one operand, written once for host and device: value and gradient
// of each function, and the lists from which every backend instantiates its kernels. binary_math.h has those
// of two operands.
#pragma once

#include <cmath>

#include "engine/host_device.h"

namespace noisymix::math {

// What the gradient of a unary function reads besides dy. An op keeps that tensor alive until its backward
// pass, and nothing else: a linear function keeps nothing. `identity` means that the gradient is dy itself
// and no kernel runs.
enum class Saves { identity, nothing, input, output };

// A unary function has value(x) and gradient(saved, dy) = dy * derivative, `saved` being what kSaves says.
// Parameters are doubles and are cast to the type of the computation.

struct Neg {
  static constexpr const char* kName = "neg";
  static constexpr Saves kSaves = Saves::nothing;
  template <typename T>
  NM_HOST_DEVICE T value(T x) const {
    return -x;
  }
  template <typename T>
  NM_HOST_DEVICE T gradient(T, T dy) const {
    return -dy;
  }
};

struct AddValue {
  static constexpr const char* kName = "add";
  static constexpr Saves kSaves = Saves::identity;
  double addend;
  template <typename T>
  NM_HOST_DEVICE T value(T x) const {
    return x + static_cast<T>(addend);
  }
  template <typename T>
  NM_HOST_DEVICE T gradient(T, T dy) const {
    return dy;
  }
};

struct MulValue {
  static constexpr const char* kName = "mul";
  static constexpr Saves kSaves = Saves::nothing;
  double factor;
  template <typename T>
  NM_HOST_DEVICE T value(T x) const {
    return x * static_cast<T>(factor);
  }
  template <typename T>
  NM_HOST_DEVICE T gradient(T, T dy) const {
    return dy * static_cast<T>(factor);
  }
};

struct Pow {
  static constexpr const char* kName = "pow";
  static constexpr Saves kSaves = Saves::input;
  double exponent;
  template <typename T>
  NM_HOST_DEVICE T value(T x) const {
    return std::pow(x, static_cast<T>(exponent));
  }
  template <typename T>
  NM_HOST_DEVICE T gradient(T x, T dy) const {
    // A constant function has slope 0 at x = 0 too, where 0 * x^-1 would be NaN.
    if (exponent == 0) return T(0);
    return dy * static_cast<T>(exponent) * std::pow(x, static_cast<T>(exponent - 1));
  }
};

struct Exp {
  static constexpr const char* kName = "exp";
  static constexpr Saves kSaves = Saves::output;
  template <typename T>
  NM_HOST_DEVICE T value(T x) const {
    return std::exp(x);
  }
  template <typename T>
  NM_HOST_DEVICE T gradient(T y, T dy) const {
    return dy * y;
  }
};

struct Log {
  static constexpr const char* kName = "log";
  static constexpr Saves kSaves = Saves::input;
  template <typename T>
  NM_HOST_DEVICE T value(T x) const {
    return std::log(x);
  }
  template <typename T>
  NM_HOST_DEVICE T gradient(T x, T dy) const {
    return dy / x;
  }
};

struct Sqrt {
  static constexpr const char* kName = "sqrt";
  static constexpr Saves kSaves = Saves::output;
  template <typename T>
  NM_HOST_DEVICE T value(T x) const {
    return std::sqrt(x);
  }
  template <typename T>
  NM_HOST_DEVICE T gradient(T y, T dy) const {
    return dy / (T(2) * y);
  }
};

struct Rsqrt {
  static constexpr const char* kName = "rsqrt";
  static constexpr Saves kSaves = Saves::output;
  template <typename T>
  NM_HOST_DEVICE T value(T x) const {
    return T(1) / std::sqrt(x);
  }
  template <typename T>
  NM_HOST_DEVICE T gradient(T y, T dy) const {
    return dy * T(-0.5) * y * y * y;
  }
};

struct Reciprocal {
  static constexpr const char* kName = "reciprocal";
  static constexpr Saves kSaves = Saves::output;
  template <typename T>
  NM_HOST_DEVICE T value(T x) const {
    return T(1) / x;
  }
  template <typename T>
  NM_HOST_DEVICE T gradient(T y, T dy) const {
    return -dy * y * y;
  }
};

struct Abs {
  static constexpr const char* kName = "abs";
  static constexpr Saves kSaves = Saves::input;
  template <typename T>
  NM_HOST_DEVICE T value(T x) const {
    return std::abs(x);
  }
  template <typename T>
  NM_HOST_DEVICE T gradient(T x, T dy) const {
    return x > T(0) ? dy : x < T(0) ? -dy : T(0);
  }
};

// -1, 0 or 1; flat, so that its gradient is 0 everywhere.
struct Sign {
  static constexpr const char* kName = "sign";
  static constexpr Saves kSaves = Saves::nothing;
  template <typename T>
  NM_HOST_DEVICE T value(T x) const {
    return x > T(0) ? T(1) : x < T(0) ? T(-1) : x;
  }
  template <typename T>
  NM_HOST_DEVICE T gradient(T, T) const {
    return T(0);
  }
};

struct Square {
  static constexpr const char* kName = "square";
  static constexpr Saves kSaves = Saves::input;
  template <typename T>
  NM_HOST_DEVICE T value(T x) const {
    return x * x;
  }
  template <typename T>
  NM_HOST_DEVICE T gradient(T x, T dy) const {
    return T(2) * x * dy;
  }
};

// The comparisons below are written so that NaN passes through: a broken activation must not turn into a
// clean 0.

struct Clamp {
  static constexpr const char* kName = "clamp";
  static constexpr Saves kSaves = Saves::input;
  double low, high;
  template <typename T>
  NM_HOST_DEVICE T value(T x) const {
    const T raised = x < static_cast<T>(low) ? static_cast<T>(low) : x;
    return raised > static_cast<T>(high) ? static_cast<T>(high) : raised;
  }
  template <typename T>
  NM_HOST_DEVICE T gradient(T x, T dy) const {
    return x >= static_cast<T>(low) && x <= static_cast<T>(high) ? dy : T(0);
  }
};

struct Relu {
  static constexpr const char* kName = "relu";
  static constexpr Saves kSaves = Saves::output;
  template <typename T>
  NM_HOST_DEVICE T value(T x) const {
    return x < T(0) ? T(0) : x;
  }
  template <typename T>
  NM_HOST_DEVICE T gradient(T y, T dy) const {
    return y > T(0) ? dy : T(0);
  }
};

struct LeakyRelu {
  static constexpr const char* kName = "leaky_relu";
  static constexpr Saves kSaves = Saves::input;
  double slope;
  template <typename T>
  NM_HOST_DEVICE T value(T x) const {
    return x > T(0) ? x : x * static_cast<T>(slope);
  }
  template <typename T>
  NM_HOST_DEVICE T gradient(T x, T dy) const {
    return x > T(0) ? dy : dy * static_cast<T>(slope);
  }
};

struct Elu {
  static constexpr const char* kName = "elu";
  static constexpr Saves kSaves = Saves::input;
  double alpha;
  template <typename T>
  NM_HOST_DEVICE T value(T x) const {
    return x > T(0) ? x : static_cast<T>(alpha) * std::expm1(x);
  }
  template <typename T>
  NM_HOST_DEVICE T gradient(T x, T dy) const {
    return x > T(0) ? dy : dy * static_cast<T>(alpha) * std::exp(x);
  }
};

struct Sigmoid {
  static constexpr const char* kName = "sigmoid";
  static constexpr Saves kSaves = Saves::output;
  template <typename T>
  NM_HOST_DEVICE T value(T x) const {
    const T e = std::exp(-std::abs(x));  // at most 1: no overflow on either side
    return (x < T(0) ? e : T(1)) / (T(1) + e);
  }
  template <typename T>
  NM_HOST_DEVICE T gradient(T y, T dy) const {
    return dy * y * (T(1) - y);
  }
};

struct Tanh {
  static constexpr const char* kName = "tanh";
  static constexpr Saves kSaves = Saves::output;
  template <typename T>
  NM_HOST_DEVICE T value(T x) const {
    return std::tanh(x);
  }
  template <typename T>
  NM_HOST_DEVICE T gradient(T y, T dy) const {
    return dy * (T(1) - y * y);
  }
};

struct Silu {
  static constexpr const char* kName = "silu";
  static constexpr Saves kSaves = Saves::input;
  template <typename T>
  NM_HOST_DEVICE T value(T x) const {
    return x * Sigmoid{}.value(x);
  }
  template <typename T>
  NM_HOST_DEVICE T gradient(T x, T dy) const {
    const T s = Sigmoid{}.value(x);
    return dy * s * (T(1) + x * (T(1) - s));
  }
};

struct GeluSigmoid {
  static constexpr const char* kName = "gelu_sigmoid";
  static constexpr Saves kSaves = Saves::input;
  static constexpr double kSteepness = 1.702;
  template <typename T>
  NM_HOST_DEVICE T value(T x) const {
    return x * Sigmoid{}.value(T(kSteepness) * x);
  }
  template <typename T>
  NM_HOST_DEVICE T gradient(T x, T dy) const {
    const T s = Sigmoid{}.value(T(kSteepness) * x);
    return dy * s * (T(1) + T(kSteepness) * x * (T(1) - s));
  }
};

struct Gelu {
  static constexpr const char* kName = "gelu";
  static constexpr Saves kSaves = Saves::input;
  // erfc instead of 1 + erf keeps the digits of the small values at negative x.
  template <typename T>
  NM_HOST_DEVICE static T normal_cdf(T x) {
    return T(0.5) * std::erfc(-x * T(0.70710678118654752440));
  }
  template <typename T>
  NM_HOST_DEVICE T value(T x) const {
    return x * normal_cdf(x);
  }
  template <typename T>
  NM_HOST_DEVICE T gradient(T x, T dy) const {
    const T density = T(0.39894228040143267794) * std::exp(T(-0.5) * x * x);
    return dy * (normal_cdf(x) + x * density);
  }
};

struct GeluTanh {
  static constexpr const char* kName = "gelu_tanh";
  static constexpr Saves kSaves = Saves::input;
  static constexpr double kScale = 0.79788456080286535588;  // sqrt(2 / pi)
  static constexpr double kCubic = 0.044715;
  // 0.5 (1 + tanh(u)) = sigmoid(2 u), which does not cancel at negative u.
  template <typename T>
  NM_HOST_DEVICE static T gate(T x) {
    return Sigmoid{}.value(T(2 * kScale) * (x + T(kCubic) * x * x * x));
  }
  template <typename T>
  NM_HOST_DEVICE T value(T x) const {
    return x * gate(x);
  }
  template <typename T>
  NM_HOST_DEVICE T gradient(T x, T dy) const {
    const T g = gate(x);
    const T inner = T(2 * kScale) * (T(1) + T(3 * kCubic) * x * x);
    return dy * (g + x * g * (T(1) - g) * inner);
  }
};

struct Softplus {
  static constexpr const char* kName = "softplus";
  static constexpr Saves kSaves = Saves::input;
  template <typename T>
  NM_HOST_DEVICE T value(T x) const {
    return (x < T(0) ? T(0) : x) + std::log1p(std::exp(-std::abs(x)));
  }
  template <typename T>
  NM_HOST_DEVICE T gradient(T x, T dy) const {
    return dy * Sigmoid{}.value(x);
  }
};

}  // namespace noisymix::math

// The lists: X(public function, functor). An op enters here once; the .cpp defines its public function and
// CPU kernels from the list, the .cu instantiates the CUDA kernels from the same list.
// clang-format off
#define NM_UNARY_FUNCTIONS(X)                                                                         \
  X(neg, Neg) X(exp, Exp) X(log, Log) X(sqrt, Sqrt) X(rsqrt, Rsqrt) X(reciprocal, Reciprocal)         \
  X(abs, Abs) X(sign, Sign) X(square, Square) X(relu, Relu) X(gelu, Gelu) X(gelu_tanh, GeluTanh)      \
  X(gelu_sigmoid, GeluSigmoid) X(sigmoid, Sigmoid) X(tanh, Tanh) X(silu, Silu) X(softplus, Softplus)

// Unary functions with parameters; their public functions are written out.
#define NM_UNARY_FUNCTIONS_WITH_PARAMETERS(X) \
  X(add, AddValue) X(mul, MulValue) X(pow, Pow) X(clamp, Clamp) X(leaky_relu, LeakyRelu) X(elu, Elu)
// clang-format on

// The mathematics of the elementwise ops of two operands, written once for host and device, as in
// elementwise_math.h.
#pragma once

#include "engine/ops/elementwise_math.h"

namespace noisymix::math {

// Which operands a gradient of a binary function reads besides dy; the others are not kept. kIdentity means
// that the gradient is dy itself.
enum Operands : unsigned { kNone = 0, kA = 1, kB = 2, kIdentity = 4 };

// A binary function has value(a, b) and the gradients of both operands. kReadsForA says which operands
// gradient_a reads; an operand that no wanted gradient reads is not kept, and dy is passed in its place.

struct Add {
  static constexpr const char* kName = "add";
  static constexpr unsigned kReadsForA = kIdentity, kReadsForB = kIdentity;
  template <typename T>
  NM_HOST_DEVICE T value(T a, T b) const {
    return a + b;
  }
  template <typename T>
  NM_HOST_DEVICE T gradient_a(T, T, T dy) const {
    return dy;
  }
  template <typename T>
  NM_HOST_DEVICE T gradient_b(T, T, T dy) const {
    return dy;
  }
};

struct Sub {
  static constexpr const char* kName = "sub";
  static constexpr unsigned kReadsForA = kIdentity, kReadsForB = kNone;
  template <typename T>
  NM_HOST_DEVICE T value(T a, T b) const {
    return a - b;
  }
  template <typename T>
  NM_HOST_DEVICE T gradient_a(T, T, T dy) const {
    return dy;
  }
  template <typename T>
  NM_HOST_DEVICE T gradient_b(T, T, T dy) const {
    return -dy;
  }
};

struct Mul {
  static constexpr const char* kName = "mul";
  static constexpr unsigned kReadsForA = kB, kReadsForB = kA;
  template <typename T>
  NM_HOST_DEVICE T value(T a, T b) const {
    return a * b;
  }
  template <typename T>
  NM_HOST_DEVICE T gradient_a(T, T b, T dy) const {
    return dy * b;
  }
  template <typename T>
  NM_HOST_DEVICE T gradient_b(T a, T, T dy) const {
    return dy * a;
  }
};

struct Div {
  static constexpr const char* kName = "div";
  static constexpr unsigned kReadsForA = kB, kReadsForB = kA | kB;
  template <typename T>
  NM_HOST_DEVICE T value(T a, T b) const {
    return a / b;
  }
  template <typename T>
  NM_HOST_DEVICE T gradient_a(T, T b, T dy) const {
    return dy / b;
  }
  template <typename T>
  NM_HOST_DEVICE T gradient_b(T a, T b, T dy) const {
    return -dy * (a / b) / b;
  }
};

struct Maximum {
  static constexpr const char* kName = "maximum";
  static constexpr unsigned kReadsForA = kA | kB, kReadsForB = kA | kB;
  template <typename T>
  NM_HOST_DEVICE T value(T a, T b) const {
    return a > b || a != a ? a : b;
  }
  template <typename T>
  NM_HOST_DEVICE T gradient_a(T a, T b, T dy) const {
    return a > b ? dy : a == b ? T(0.5) * dy : T(0);
  }
  template <typename T>
  NM_HOST_DEVICE T gradient_b(T a, T b, T dy) const {
    return gradient_a(b, a, dy);
  }
};

struct Minimum {
  static constexpr const char* kName = "minimum";
  static constexpr unsigned kReadsForA = kA | kB, kReadsForB = kA | kB;
  template <typename T>
  NM_HOST_DEVICE T value(T a, T b) const {
    return a < b || a != a ? a : b;
  }
  template <typename T>
  NM_HOST_DEVICE T gradient_a(T a, T b, T dy) const {
    return a < b ? dy : a == b ? T(0.5) * dy : T(0);
  }
  template <typename T>
  NM_HOST_DEVICE T gradient_b(T a, T b, T dy) const {
    return gradient_a(b, a, dy);
  }
};

}  // namespace noisymix::math

// X(public function, functor).
// clang-format off
#define NM_BINARY_FUNCTIONS(X) \
  X(add, Add) X(sub, Sub) X(mul, Mul) X(div, Div) X(maximum, Maximum) X(minimum, Minimum)
// clang-format on

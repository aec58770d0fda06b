// Element types of a tensor, and the one switch from a run-time dtype to a C++ type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ostream>
#include <type_traits>

#include "engine/error.h"
#include "engine/host_device.h"

namespace noisymix {

enum class Dtype : std::uint8_t { f32, bf16, f64, i64, i32, u8 };

/// Upper half of an IEEE float32; conversion rounds to nearest even. Storage type only: arithmetic happens in float.
struct bfloat16 {
  std::uint16_t bits = 0;

  bfloat16() = default;
  NM_HOST_DEVICE explicit bfloat16(float value) {
    std::uint32_t u;
    memcpy(&u, &value, sizeof u);
    const bool is_nan = (u & 0x7fffffffu) > 0x7f800000u;
    bits = is_nan ? static_cast<std::uint16_t>((u >> 16) | 0x40u)
                  : static_cast<std::uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
  }
  NM_HOST_DEVICE explicit operator float() const {
    const std::uint32_t u = static_cast<std::uint32_t>(bits) << 16;
    float value;
    memcpy(&value, &u, sizeof value);
    return value;
  }
};

constexpr std::size_t size_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32: return 4;
    case Dtype::bf16: return 2;
    case Dtype::f64: return 8;
    case Dtype::i64: return 8;
    case Dtype::i32: return 4;
    case Dtype::u8: return 1;
  }
  return 0;
}

constexpr const char* name_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32: return "f32";
    case Dtype::bf16: return "bf16";
    case Dtype::f64: return "f64";
    case Dtype::i64: return "i64";
    case Dtype::i32: return "i32";
    case Dtype::u8: return "u8";
  }
  return "?";
}

inline std::ostream& operator<<(std::ostream& out, Dtype dtype) { return out << name_of(dtype); }

constexpr bool is_floating(Dtype dtype) {
  return dtype == Dtype::f32 || dtype == Dtype::bf16 || dtype == Dtype::f64;
}

template <typename T>
constexpr Dtype dtype_of() {
  if constexpr (std::is_same_v<T, float>) return Dtype::f32;
  else if constexpr (std::is_same_v<T, bfloat16>) return Dtype::bf16;
  else if constexpr (std::is_same_v<T, double>) return Dtype::f64;
  else if constexpr (std::is_same_v<T, std::int64_t>) return Dtype::i64;
  else if constexpr (std::is_same_v<T, std::int32_t>) return Dtype::i32;
  else {
    static_assert(std::is_same_v<T, std::uint8_t>, "not an element type of Tensor");
    return Dtype::u8;
  }
}

/// The type in which values of T are computed: bf16 computes in float, everything else in itself.
template <typename T>
using compute_t = std::conditional_t<std::is_same_v<T, bfloat16>, float, T>;

/// A number of one element type as another, bf16 by way of float.
template <typename To, typename From>
NM_HOST_DEVICE To convert_value(From value) {
  if constexpr (std::is_same_v<To, From>) return value;
  else if constexpr (std::is_same_v<To, bfloat16>) return bfloat16(static_cast<float>(value));
  else if constexpr (std::is_same_v<From, bfloat16>) return static_cast<To>(static_cast<float>(value));
  else return static_cast<To>(value);
}

/// Calls body.template operator()<T>() with the C++ type of a floating dtype; `op` is named in the error.
template <typename Body>
decltype(auto) dispatch_floating(const char* op, Dtype dtype, Body&& body) {
  switch (dtype) {
    case Dtype::f32: return body.template operator()<float>();
    case Dtype::f64: return body.template operator()<double>();
    case Dtype::bf16: return body.template operator()<bfloat16>();
    default: fail<ShapeError>("[", op, "] expects a floating dtype (f32, bf16, f64), got ", dtype);
  }
}

/// Calls body.template operator()<T>() with the C++ type of any dtype.
template <typename Body>
decltype(auto) dispatch_all(Dtype dtype, Body&& body) {
  switch (dtype) {
    case Dtype::f32: return body.template operator()<float>();
    case Dtype::bf16: return body.template operator()<bfloat16>();
    case Dtype::f64: return body.template operator()<double>();
    case Dtype::i64: return body.template operator()<std::int64_t>();
    case Dtype::i32: return body.template operator()<std::int32_t>();
    case Dtype::u8: return body.template operator()<std::uint8_t>();
  }
  fail<InternalError>("unknown dtype");
}

}  // namespace noisymix

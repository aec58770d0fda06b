// Bodies of the Winograd maps over a vector type. Included after micro_kernels_impl.h by the same files,
// whose `Vector` must also have `subtract` and `multiply`. Everything is local to that file.
#pragma once

#include "engine/cpu/winograd_kernels.h"

namespace noisymix::cpu {
namespace {

/// Numbers of a channel behind one pointer each: pixels or taps.
template <typename Float>
struct Scattered {
  static constexpr bool padded = false;
  Float* const* pointers;
  Float* at(int k) const { return pointers[k]; }
};

/// Numbers of a channel a fixed distance apart, in rows with room for whole vectors.
template <typename Float>
struct Planes {
  static constexpr bool padded = true;
  Float* first;
  std::int64_t plane;
  Float* at(int k) const { return first + k * plane; }
};

/// to = map(from) for every channel. The last, partial vector goes through buffers where rows end with it.
template <typename Map, typename From, typename To>
[[gnu::always_inline]] inline void map_channels(Map map, From from, To to, std::int64_t channels) {
  constexpr int lanes = Vector::lanes, inputs = Map::inputs, outputs = Map::outputs;
  Vector::type in[inputs], out[outputs];
  std::int64_t c = 0;
  for (; c + lanes <= channels; c += lanes) {
    NM_UNROLL for (int k = 0; k < inputs; ++k) {
      in[k] = Vector::load(from.at(k) + c);
    }
    map(in, out, c);
    NM_UNROLL for (int k = 0; k < outputs; ++k) {
      Vector::store(to.at(k) + c, out[k]);
    }
  }
  const int rest = static_cast<int>(channels - c);
  if (rest == 0) return;
  float buffer[lanes] = {};
  for (int k = 0; k < inputs; ++k) {
    const float* source = from.at(k) + c;
    for (int i = 0; i < rest; ++i) buffer[i] = source[i];
    in[k] = Vector::load(buffer);
  }
  map(in, out, c);
  for (int k = 0; k < outputs; ++k) {
    if constexpr (To::padded) {
      Vector::store(to.at(k) + c, out[k]);
    } else {
      float* target = to.at(k) + c;
      Vector::store(buffer, out[k]);
      for (int i = 0; i < rest; ++i) target[i] = buffer[i];
    }
  }
}

/// Applies the map of lines, N numbers to M, to the rows and then to the columns of a square.
template <int N, int M, typename Line>
[[gnu::always_inline]] inline void map_square(const Vector::type* in, Vector::type* out, Line line) {
  Vector::type half[M * N];  // row i of it: number i of every column's image
  NM_UNROLL for (int j = 0; j < N; ++j) {
    Vector::type a[N], b[M];
    NM_UNROLL for (int i = 0; i < N; ++i) {
      a[i] = in[i * N + j];
    }
    line(a, b);
    NM_UNROLL for (int i = 0; i < M; ++i) {
      half[i * N + j] = b[i];
    }
  }
  NM_UNROLL for (int i = 0; i < M; ++i) {
    line(half + i * N, out + i * M);
  }
}

using Number = Vector::type;
inline Number plus(Number a, Number b) {
  return Vector::add(a, b);
}
inline Number minus(Number a, Number b) {
  return Vector::subtract(a, b);
}
inline Number halved(Number a) {
  return Vector::multiply(Vector::broadcast(0.5f), a);
}

struct InputMap {  // B^T = [1 0 -1 0; 0 1 1 0; 0 -1 1 0; 0 1 0 -1]
  static constexpr int inputs = 16, outputs = 16;
  [[gnu::always_inline]] void operator()(const Number* in, Number* out, std::int64_t) const {
    map_square<4, 4>(in, out, [](const Number* d, Number* v) {
      v[0] = minus(d[0], d[2]), v[1] = plus(d[1], d[2]), v[2] = minus(d[2], d[1]), v[3] = minus(d[1], d[3]);
    });
  }
};

struct OutputMap {  // A^T = [1 1 1 0; 0 1 -1 -1]
  static constexpr int inputs = 16, outputs = 4;
  const float* bias;
  [[gnu::always_inline]] void operator()(const Number* in, Number* out, std::int64_t channel) const {
    map_square<4, 2>(in, out, [](const Number* m, Number* y) {
      y[0] = plus(plus(m[0], m[1]), m[2]), y[1] = minus(minus(m[1], m[2]), m[3]);
    });
    const Number shift = Vector::load(bias + channel);
    NM_UNROLL for (int k = 0; k < 4; ++k) {
      out[k] = plus(out[k], shift);
    }
  }
};

struct OutputGradMap {  // A
  static constexpr int inputs = 4, outputs = 16;
  [[gnu::always_inline]] void operator()(const Number* in, Number* out, std::int64_t) const {
    map_square<2, 4>(in, out, [](const Number* y, Number* m) {
      m[0] = y[0], m[1] = plus(y[0], y[1]), m[2] = minus(y[0], y[1]),
      m[3] = minus(Vector::broadcast(0), y[1]);
    });
  }
};

struct FilterMap {  // G = [1 0 0; 1/2 1/2 1/2; 1/2 -1/2 1/2; 0 0 1]
  static constexpr int inputs = 9, outputs = 16;
  [[gnu::always_inline]] void operator()(const Number* in, Number* out, std::int64_t) const {
    map_square<3, 4>(in, out, [](const Number* g, Number* u) {
      const Number ends = plus(g[0], g[2]);
      u[0] = g[0], u[1] = halved(plus(ends, g[1])), u[2] = halved(minus(ends, g[1])), u[3] = g[2];
    });
  }
};

struct FilterGradMap {  // G^T
  static constexpr int inputs = 16, outputs = 9;
  [[gnu::always_inline]] void operator()(const Number* in, Number* out, std::int64_t) const {
    map_square<4, 3>(in, out, [](const Number* u, Number* g) {
      const Number middle = halved(plus(u[1], u[2]));
      g[0] = plus(u[0], middle), g[1] = halved(minus(u[1], u[2])), g[2] = plus(middle, u[3]);
    });
  }
};

constexpr WinogradKernels make_winograd_table() {
  WinogradKernels table{};
  table.input = [](const float* const* pixels, std::int64_t channels, float* v, std::int64_t plane) {
    map_channels(InputMap{}, Scattered<const float>{pixels}, Planes<float>{v, plane}, channels);
  };
  table.output = [](const float* m, std::int64_t plane, const float* bias, std::int64_t channels,
                    float* const* pixels) {
    map_channels(OutputMap{bias}, Planes<const float>{m, plane}, Scattered<float>{pixels}, channels);
  };
  table.output_grad = [](const float* const* pixels, std::int64_t channels, float* m, std::int64_t plane) {
    map_channels(OutputGradMap{}, Scattered<const float>{pixels}, Planes<float>{m, plane}, channels);
  };
  table.filter = [](const float* const* taps, std::int64_t channels, float* u, std::int64_t plane) {
    map_channels(FilterMap{}, Scattered<const float>{taps}, Planes<float>{u, plane}, channels);
  };
  table.filter_grad = [](const float* u, std::int64_t plane, std::int64_t channels, float* const* taps) {
    map_channels(FilterGradMap{}, Planes<const float>{u, plane}, Scattered<float>{taps}, channels);
  };
  return table;
}

}  // namespace
}  // namespace noisymix::cpu

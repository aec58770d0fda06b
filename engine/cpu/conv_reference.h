// Convolution as plain loops: the definition that tuned kernels are tested against, and the path for f64.
#pragma once

#include <algorithm>

#include "engine/cpu/conv_geometry.h"
#include "engine/cpu/parallel.h"

namespace noisymix::cpu {

/// Calls visit(i, j, r, q, ih, iw) for every output position of an image and every tap that reads inside the
/// input.
template <typename Visit>
void for_each_tap(const ConvShape& s, Visit visit) {
  for (std::int64_t i = 0; i < s.ho; ++i)
    for (std::int64_t j = 0; j < s.wo; ++j)
      for (std::int64_t r = 0; r < s.kh; ++r)
        for (std::int64_t q = 0; q < s.kw; ++q) {
          const std::int64_t ih = i * s.stride_h + r * s.dilation_h - s.padding_h;
          const std::int64_t iw = j * s.stride_w + q * s.dilation_w - s.padding_w;
          if (ih >= 0 && ih < s.h && iw >= 0 && iw < s.w) visit(i, j, r, q, ih, iw);
        }
}

/// y [n, ho, wo, o]; bias may be null.
template <typename T>
void conv2d_reference(const ConvShape& s, const T* x, const T* weight, const T* bias, T* y) {
  parallel_for(s.n, 1, [&](std::int64_t n, std::int64_t) {
    for (std::int64_t e = 0; e < s.ho * s.wo * s.o; ++e)
      y[n * s.ho * s.wo * s.o + e] = bias ? bias[e % s.o] : T(0);
    for_each_tap(s, [&](std::int64_t i, std::int64_t j, std::int64_t r, std::int64_t q, std::int64_t ih,
                        std::int64_t iw) {
      const T* input = x + ((n * s.h + ih) * s.w + iw) * s.c;
      T* output = y + ((n * s.ho + i) * s.wo + j) * s.o;
      for (std::int64_t o = 0; o < s.o; ++o) {
        const T* row = weight + ((o * s.kh + r) * s.kw + q) * s.group_c();
        const T* group = input + o / s.group_o() * s.group_c();
        for (std::int64_t c = 0; c < s.group_c(); ++c) output[o] += row[c] * group[c];
      }
    });
  });
}

/// dx [n, h, w, c].
template <typename T>
void conv2d_input_grad_reference(const ConvShape& s, const T* dy, const T* weight, T* dx) {
  parallel_for(s.n, 1, [&](std::int64_t n, std::int64_t) {
    std::fill_n(dx + n * s.h * s.w * s.c, s.h * s.w * s.c, T(0));
    for_each_tap(s, [&](std::int64_t i, std::int64_t j, std::int64_t r, std::int64_t q, std::int64_t ih,
                        std::int64_t iw) {
      T* input = dx + ((n * s.h + ih) * s.w + iw) * s.c;
      const T* output = dy + ((n * s.ho + i) * s.wo + j) * s.o;
      for (std::int64_t o = 0; o < s.o; ++o) {
        const T* row = weight + ((o * s.kh + r) * s.kw + q) * s.group_c();
        T* group = input + o / s.group_o() * s.group_c();
        for (std::int64_t c = 0; c < s.group_c(); ++c) group[c] += row[c] * output[o];
      }
    });
  });
}

/// dweight [o, kh, kw, c / groups].
template <typename T>
void conv2d_weight_grad_reference(const ConvShape& s, const T* x, const T* dy, T* dweight) {
  parallel_for(s.o, 1, [&](std::int64_t o, std::int64_t) {
    std::fill_n(dweight + o * s.depth(), s.depth(), T(0));
    for (std::int64_t n = 0; n < s.n; ++n) {
      for_each_tap(s, [&](std::int64_t i, std::int64_t j, std::int64_t r, std::int64_t q, std::int64_t ih,
                          std::int64_t iw) {
        const T* group = x + ((n * s.h + ih) * s.w + iw) * s.c + o / s.group_o() * s.group_c();
        const T gradient = dy[((n * s.ho + i) * s.wo + j) * s.o + o];
        T* row = dweight + ((o * s.kh + r) * s.kw + q) * s.group_c();
        for (std::int64_t c = 0; c < s.group_c(); ++c) row[c] += gradient * group[c];
      });
    }
  });
}

}  // namespace noisymix::cpu

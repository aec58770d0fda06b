// The small linear maps of Winograd's algorithm F(2x2, 3x3), over vectors of channels: one table per
// instruction set, beside the micro-kernels and under the same rules (see micro_kernels.h).
//
// Each map takes some numbers per channel to others. On one side stand pixels, each `channels` floats behind
// a pointer; on the other the 16 planes of a transformed tile, `plane` floats apart. Rows of planes must have
// room for whole vectors; the maps fill that room up with zeros.
#pragma once

#include <cstdint>

namespace noisymix::cpu {

struct WinogradKernels {
  static constexpr int kPlanes = 16;
  /// v = B^T d B from the 4x4 pixels of an input tile.
  void (*input)(const float* const* pixels, std::int64_t channels, float* v, std::int64_t plane);
  /// The 2x2 pixels of an output tile, y = A^T m A + bias. m and bias have room for whole vectors.
  void (*output)(const float* m, std::int64_t plane, const float* bias, std::int64_t channels,
                 float* const* pixels);
  /// m = A dy A^T from the 2x2 pixels of an output tile's gradient: the adjoint of `output`.
  void (*output_grad)(const float* const* pixels, std::int64_t channels, float* m, std::int64_t plane);
  /// u = G g G^T from the 3x3 taps of a filter.
  void (*filter)(const float* const* taps, std::int64_t channels, float* u, std::int64_t plane);
  /// dg = G^T du G: the adjoint of `filter`.
  void (*filter_grad)(const float* u, std::int64_t plane, std::int64_t channels, float* const* taps);
};

extern const WinogradKernels kPortableWinograd;
#if defined(__x86_64__)
extern const WinogradKernels kAvx2Winograd;
extern const WinogradKernels kAvx512Winograd;
#endif

/// The table for active_isa().
const WinogradKernels& winograd_kernels();

}  // namespace noisymix::cpu

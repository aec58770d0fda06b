// What the fast geometric operations share: the source as floats, the results as whole numbers, and the rows
// that need a second look.
#pragma once

#include <cstdint>
#include <vector>

#include "augment/image_ops.h"

namespace noisymix {

/// Work memory of one operation; each thread keeps one. Kernels may run over the end of what they need by
/// less than kSpill elements: what they write there is overwritten by the next row or ignored.
struct Interpolation {
  static constexpr std::size_t kSpill = 16;

  std::vector<float> source;         // the image with its border pixels repeated once on every side
  std::size_t stride = 0;            // floats per row of the source
  std::vector<std::int32_t> values;  // results in the image's layout, 0..255
  std::vector<int> doubtful;         // rows in which f32 may have truncated wrongly

  /// The source pixel (y, x), each from -1 to the image's extent.
  const float* at(int y, int x, int channels) const {
    return source.data() + static_cast<std::size_t>(y + 1) * stride +
           static_cast<std::size_t>((x + 1) * channels);
  }

  /// Fills the source and sizes the rest for an image with at least one pixel.
  void start(const Image& image);
  /// Writes all values to `out` and computes the doubtful rows again, exactly.
  void finish(const Image& image, Image& out, const AffineMatrix& matrix) const;
};

/// This thread's work memory.
Interpolation& interpolation();

}  // namespace noisymix

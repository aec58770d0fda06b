#include "augment/normalize.h"

#include <algorithm>
#include <vector>

#include "engine/cpu/vectorise.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace noisymix {
namespace {

/// The normalisation as scale * byte + offset, spread over one row of interleaved channels, 48 values at
/// least.
struct RowAffine {
  std::vector<float> scale, offset;
  std::size_t values = 0, channels = 0;
  Normalization normalization;

  bool is_for(std::size_t n, std::size_t c, const Normalization& other) const {
    return values == n && channels == c && std::equal(other.mean, other.mean + 3, normalization.mean) &&
           std::equal(other.stddev, other.stddev + 3, normalization.stddev);
  }
};

const RowAffine& row_affine(const Image& image, const Normalization& normalization) {
  thread_local RowAffine row;
  const std::size_t values = std::max<std::size_t>(image.stride(), 48);
  const auto channels = static_cast<std::size_t>(image.channels);
  if (row.is_for(values, channels, normalization)) return row;
  row.values = values;
  row.channels = channels;
  row.normalization = normalization;
  row.scale.resize(values);
  row.offset.resize(values);
  const ChannelAffine affine = channel_affine(normalization);
  for (std::size_t i = 0; i < values; i += channels) {
    for (std::size_t c = 0; c < channels; ++c) {
      row.scale[i + c] = affine.scale[c];
      row.offset[i + c] = affine.offset[c];
    }
  }
  return row;
}

NM_VECTORISED(normalize_rows,
              (float* NM_RESTRICT out, const std::uint8_t* NM_RESTRICT bytes, const float* NM_RESTRICT scale,
               const float* NM_RESTRICT offset, std::size_t rows, std::size_t columns),
              (out, bytes, scale, offset, rows, columns)) {
  for (std::size_t y = 0; y < rows; ++y) {
    const std::uint8_t* NM_RESTRICT from = bytes + y * columns;
    float* NM_RESTRICT to = out + y * columns;
    for (std::size_t i = 0; i < columns; ++i) to[i] = static_cast<float>(from[i]) * scale[i] + offset[i];
  }
}

NM_VECTORISED(mix_row,
              (float* NM_RESTRICT sum, const std::uint8_t* NM_RESTRICT bytes, float weight, std::size_t n),
              (sum, bytes, weight, n)) {
  for (std::size_t i = 0; i < n; ++i) sum[i] += weight * static_cast<float>(bytes[i]);
}

/// The usual mixture of four images in one sweep: out = (sum_k weight_k bytes_k) * scale + offset.
NM_VECTORISED(mix_four_rows,
              (float* NM_RESTRICT out, const WeightedBytes* images, const float* NM_RESTRICT scale,
               const float* NM_RESTRICT offset, std::size_t rows, std::size_t columns),
              (out, images, scale, offset, rows, columns)) {
  const float wa = images[0].weight, wb = images[1].weight, wc = images[2].weight, wd = images[3].weight;
  for (std::size_t y = 0; y < rows; ++y) {
    const std::size_t start = y * columns;
    const std::uint8_t* NM_RESTRICT a = images[0].pixels + start;
    const std::uint8_t* NM_RESTRICT b = images[1].pixels + start;
    const std::uint8_t* NM_RESTRICT c = images[2].pixels + start;
    const std::uint8_t* NM_RESTRICT d = images[3].pixels + start;
    float* NM_RESTRICT to = out + start;
    for (std::size_t i = 0; i < columns; ++i) {
      float sum = wa * static_cast<float>(a[i]);
      sum += wb * static_cast<float>(b[i]);
      sum += wc * static_cast<float>(c[i]);
      sum += wd * static_cast<float>(d[i]);
      to[i] = sum * scale[i] + offset[i];
    }
  }
}

NM_VECTORISED(scale_row,
              (float* NM_RESTRICT out, const float* NM_RESTRICT sum, const float* NM_RESTRICT scale,
               const float* NM_RESTRICT offset, std::size_t n),
              (out, sum, scale, offset, n)) {
  for (std::size_t i = 0; i < n; ++i) out[i] = sum[i] * scale[i] + offset[i];
}

#if defined(__x86_64__)
// Sixteen values at a time over the whole image: the channels' constants repeat every three vectors and stay
// in registers. The compiler's version of the loops above widens 64 bytes at once and spends its time
// unpacking them. (GCC 12 warns of the undefined lanes inside unmasked conversions, hence masks everywhere.)
struct Constants {
  __m512 scale[3], offset[3];
};

NM_TARGET_AVX512 inline __m512 load_floats(const std::uint8_t* p, __mmask16 lanes) {
  return _mm512_maskz_cvtepi32_ps(0xFFFF, _mm512_maskz_cvtepu8_epi32(0xFFFF, _mm_maskz_loadu_epi8(lanes, p)));
}

/// out = (sum_k weight_k bytes_k) * scale + offset in the order of the loops above, for n values of kImages
/// images.
template <std::size_t kImages>
NM_TARGET_AVX512 void mix_avx512(float* out, const WeightedBytes* images, const Constants& constants,
                                 std::size_t n) {
  __m512 weights[kImages];
  const std::uint8_t* bytes[kImages];
  for (std::size_t k = 0; k < kImages; ++k) {
    weights[k] = _mm512_set1_ps(images[k].weight);
    bytes[k] = images[k].pixels;
  }
  for (std::size_t begin = 0; begin < n; begin += 48) {
    for (std::size_t part = 0; part < 3; ++part) {
      const std::size_t i = begin + 16 * part;
      if (i >= n) return;
      const auto lanes = static_cast<__mmask16>(n - i >= 16 ? 0xFFFFu : (1u << (n - i)) - 1);
      __m512 sum = _mm512_mul_ps(weights[0], load_floats(bytes[0] + i, lanes));
      for (std::size_t k = 1; k < kImages; ++k)
        sum = _mm512_add_ps(sum, _mm512_mul_ps(weights[k], load_floats(bytes[k] + i, lanes)));
      const __m512 scaled = _mm512_mul_ps(sum, constants.scale[part]);
      _mm512_mask_storeu_ps(out + i, lanes, _mm512_add_ps(scaled, constants.offset[part]));
    }
  }
}

/// The same for one or four images; false when this processor or number needs the loops.
NM_TARGET_AVX512 bool mix_in_registers(const Image& like, const WeightedBytes* images, std::size_t count,
                                       const RowAffine& row, float* out) {
  const std::size_t n = like.pixels.size();
  if (cpu::active_isa() < cpu::Isa::avx512 || (count != 1 && count != 4) || n == 0) return false;
  Constants constants;
  for (std::size_t part = 0; part < 3; ++part) {
    constants.scale[part] = _mm512_loadu_ps(row.scale.data() + 16 * part);
    constants.offset[part] = _mm512_loadu_ps(row.offset.data() + 16 * part);
  }
  if (count == 1) mix_avx512<1>(out, images, constants, n);
  if (count == 4) mix_avx512<4>(out, images, constants, n);
  return true;
}
#else
bool mix_in_registers(const Image&, const WeightedBytes*, std::size_t, const RowAffine&, float*) {
  return false;
}
#endif

}  // namespace

ChannelAffine channel_affine(const Normalization& normalization) {
  ChannelAffine result;
  for (int c = 0; c < 3; ++c) {
    result.scale[c] = static_cast<float>(1.0 / (255.0 * static_cast<double>(normalization.stddev[c])));
    result.offset[c] = -normalization.mean[c] / normalization.stddev[c];
  }
  return result;
}

void normalize_mixture(const Image& like, const WeightedBytes* images, std::size_t count,
                       const Normalization& normalization, float* out) {
  const RowAffine& row = row_affine(like, normalization);
  const std::size_t rows = static_cast<std::size_t>(like.height), n = like.stride();
  if (mix_in_registers(like, images, count, row, out)) return;
  if (count == 4) return mix_four_rows(out, images, row.scale.data(), row.offset.data(), rows, n);
  thread_local std::vector<float> sum;
  for (std::size_t y = 0; y < rows; ++y) {
    sum.assign(n, 0.0f);
    for (std::size_t k = 0; k < count; ++k)
      mix_row(sum.data(), images[k].pixels + y * n, images[k].weight, n);
    scale_row(out + y * n, sum.data(), row.scale.data(), row.offset.data(), n);
  }
}

void normalize(const Image& image, const Normalization& normalization, float* out) {
  const RowAffine& row = row_affine(image, normalization);
  const WeightedBytes alone{image.pixels.data(), 1.0f};  // the product is exact
  if (mix_in_registers(image, &alone, 1, row, out)) return;
  normalize_rows(out, image.pixels.data(), row.scale.data(), row.offset.data(),
                 static_cast<std::size_t>(image.height), image.stride());
}

}  // namespace noisymix

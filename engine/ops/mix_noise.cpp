#include "engine/ops/mix_noise.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <utility>

#include "engine/autograd.h"
#include "engine/cpu/parallel.h"
#include "engine/philox.h"
#include "engine/cpu/vectorise.h"
#include "engine/kernel.h"

namespace noisymix {
namespace cpu {
namespace {

// Noise is made tile by tile into small arrays that stay in the first-level cache, then applied to the
// activations.
constexpr std::int64_t kTile = 512;  // elements of a tile
constexpr std::int64_t kPairs =
    kTile / 2;  // Philox blocks of a tile: one block serves two neighbouring elements
constexpr std::int64_t kChunk = 32 * kTile;  // elements handed to a thread at a time

/// The words of a tile's blocks: the first two of block j, which make a pair of normals, and the last two,
/// one for each element of the pair.
struct Words {
  alignas(64) std::array<std::uint32_t, kPairs> radius, angle;
  alignas(64) std::array<std::uint32_t, kTile> element;
};

/// Blocks first .. first + kPairs - 1 of the key (Philox 4x32-10, as Key::block). `first` is a multiple of
/// kPairs, so the low counter word never wraps within a tile.
NM_VECTORISED(philox_tile, (Words & words, std::uint64_t key, std::uint64_t first), (words, key, first)) {
  std::uint32_t* NM_RESTRICT radius = words.radius.data();
  std::uint32_t* NM_RESTRICT angle = words.angle.data();
  std::uint32_t* NM_RESTRICT element = words.element.data();
  const auto low = static_cast<std::uint32_t>(first), high = static_cast<std::uint32_t>(first >> 32);
  for (std::uint32_t j = 0; j < kPairs; ++j)
    philox_block(key, low + j, high, radius[j], angle[j], element[2 * j], element[2 * j + 1]);
}

/// condition ? a : b by bit masks. With a plain conditional the compiler moves the arithmetic behind a
/// branch, because it might trap, and then cannot vectorise the loop.
inline __attribute__((always_inline)) float select(bool condition, float a, float b) {
  const std::uint32_t mask = 0u - static_cast<std::uint32_t>(condition);
  return std::bit_cast<float>((std::bit_cast<std::uint32_t>(a) & mask) |
                              (std::bit_cast<std::uint32_t>(b) & ~mask));
}

/// A word as float, rounded once: both halves are exact, also where only signed conversions exist.
inline __attribute__((always_inline)) float to_float(std::uint32_t word) {
  return static_cast<float>(static_cast<std::int32_t>(word >> 16)) * 65536.0f +
         static_cast<float>(static_cast<std::int32_t>(word & 0xFFFFu));
}

/// sqrt(-2 ln u), u = (word + 1/2) / 2^32: the radius of a pair of standard normals, at most 6.77.
inline __attribute__((always_inline)) float normal_radius(std::uint32_t word) {
  const float high = static_cast<float>(static_cast<std::int32_t>(word >> 16)) * 65536.0f;
  const float u = (high + (static_cast<float>(static_cast<std::int32_t>(word & 0xFFFFu)) + 0.5f)) * 0x1p-32f;
  // u = m 2^e with m in [sqrt(1/2), sqrt(2)); 0x3F3504F3 are the bits of sqrt(1/2).
  const auto bits = std::bit_cast<std::int32_t>(u);
  const std::int32_t e = (bits - 0x3F3504F3) >> 23;
  const float f = std::bit_cast<float>(bits - e * (1 << 23)) - 1.0f;
  // Minimax fit of -2 ln(1 + f) / f, relative error 4e-9 before rounding.
  float q = 0.15661647f;
  q = q * f - 0.26038310f;
  q = q * f + 0.26424523f;
  q = q * f - 0.28321441f;
  q = q * f + 0.33220684f;
  q = q * f - 0.40006413f;
  q = q * f + 0.50003142f;
  q = q * f - 0.66666605f;
  q = q * f + 0.99999977f;
  q = q * f - 2.0f;
  const float square = static_cast<float>(e) * -1.38629436f + q * f;
  return std::sqrt(select(square > 0.0f, square, 0.0f));
}

/// Box-Muller: two independent standard normals per block, from its first two words. The angle's top two bits
/// choose the quadrant; the rest are an angle in [-pi/4, pi/4), where sine and cosine are short polynomials.
NM_VECTORISED(normal_tile, (float* normals, const Words& words), (normals, words)) {
  const std::uint32_t* NM_RESTRICT radius_word = words.radius.data();
  const std::uint32_t* NM_RESTRICT angle_word = words.angle.data();
  float* NM_RESTRICT out = normals;
  for (std::int64_t j = 0; j < kPairs; ++j) {
    const std::uint32_t word = angle_word[j];
    const float t =
        static_cast<float>(static_cast<std::int32_t>(word << 2) >> 8) * 0x1p-23f;  // angle / (pi/4)
    const float z = t * t;
    const float sine = (((-3.5954508e-5f * z + 2.4900071e-3f) * z - 8.0745435e-2f) * z + 0.78539816f) * t;
    const float cosine =
        (((3.5298113e-6f * z - 3.2593861e-4f) * z + 1.5854325e-2f) * z - 0.30842514f) * z + 1.0f;
    const float r = normal_radius(radius_word[j]);
    const float signed_r = std::bit_cast<float>(std::bit_cast<std::uint32_t>(r) | (word & 0x80000000u));
    const bool turned = (word & 0x40000000u) != 0;  // by a quarter: (cos, sin) becomes (-sin, cos)
    out[2 * j] = signed_r * select(turned, -sine, cosine);
    out[2 * j + 1] = signed_r * select(turned, cosine, sine);
  }
}

/// Both masks and the uniform draw of one element, all from one word w. The additive entry is left out where
/// w < sparse 2^32. Given that outcome w is still uniform on its side of the threshold; rescaled to [0, 1) it
/// decides about the multiplicative entry in the same way, and what remains, rescaled again, is that entry's
/// uniform draw. So every probability is exact to 2^-24 and one Philox block serves two elements.
struct Sieve {
  std::uint32_t threshold;  // sparse * 2^32
  float sparse;
  float below_scale, above_scale;  // to [0, 1) of the part below and above the threshold
  float rest_scale;                // 1 / (1 - sparse)

  explicit Sieve(double q)
      : threshold(static_cast<std::uint32_t>(std::min(q * 0x1p32, 0x1p32 - 1))),
        sparse(static_cast<float>(q)),
        below_scale(threshold > 0 ? static_cast<float>(1.0 / threshold) : 0.0f),
        above_scale(static_cast<float>(1.0 / (0x1p32 - threshold))),
        rest_scale(static_cast<float>(1.0 / std::max(1 - q, 0x1p-24))) {}
};

/// add[e] = level * add[e], or 0 where the entry is left out.
NM_VECTORISED(mask_additive,
              (float* NM_RESTRICT add, const Words& words, std::uint32_t threshold, float level),
              (add, words, threshold, level)) {
  const std::uint32_t* NM_RESTRICT word = words.element.data();
  for (std::int64_t e = 0; e < kTile; ++e) {
    add[e] = select(word[e] < threshold, 0.0f, level * add[e]);
  }
}

/// The part of a word that is left after the additive mask, in [0, 1].
inline __attribute__((always_inline)) float remainder(std::uint32_t word, const Sieve& sieve) {
  const bool below = word < sieve.threshold;
  const std::uint32_t above_mask = static_cast<std::uint32_t>(below) - 1u;
  return to_float(word - (sieve.threshold & above_mask)) *
         select(below, sieve.below_scale, sieve.above_scale);
}

/// mult[e] = 1 + level * U(-1, 1), or 1 where the entry is left out.
NM_VECTORISED(uniform_factors,
              (float* NM_RESTRICT mult, const Words& words, const Sieve& shared, float level),
              (mult, words, shared, level)) {
  const std::uint32_t* NM_RESTRICT word = words.element.data();
  const Sieve sieve = shared;
  for (std::int64_t e = 0; e < kTile; ++e) {
    const float x = remainder(word[e], sieve);
    const float u = (x - sieve.sparse) * sieve.rest_scale;
    mult[e] = select(x < sieve.sparse, 1.0f, 1.0f + level * (2.0f * u - 1.0f));
  }
}

/// mult[e] = 1 + level * mult[e], or 1 where the entry is left out: the same masks around normals that are
/// there.
NM_VECTORISED(normal_factors, (float* NM_RESTRICT mult, const Words& words, const Sieve& shared, float level),
              (mult, words, shared, level)) {
  const std::uint32_t* NM_RESTRICT word = words.element.data();
  const Sieve sieve = shared;
  for (std::int64_t e = 0; e < kTile; ++e) {
    mult[e] = select(remainder(word[e], sieve) < sieve.sparse, 1.0f, 1.0f + level * mult[e]);
  }
}

/// Noise of one tile: what to multiply with and what to add afterwards; null where that kind is off.
struct NoiseTile {
  alignas(64) std::array<float, kTile> add_values, mult_values;
  const float* add = nullptr;
  const float* mult = nullptr;

  void fill(const ViewNoise& noise, const Sieve& sieve, std::uint64_t first_pair) {
    Words words;
    philox_tile(words, noise.key.words(), first_pair);
    add = noise.add != 0 ? add_values.data() : nullptr;
    mult = noise.mult != 0 ? mult_values.data() : nullptr;
    if (add != nullptr) {
      normal_tile(add_values.data(), words);
      mask_additive(add_values.data(), words, sieve.threshold, static_cast<float>(noise.add));
    }
    if (mult == nullptr) return;
    if (noise.law == MultiplicativeLaw::uniform) {
      uniform_factors(mult_values.data(), words, sieve, static_cast<float>(noise.mult));
    } else {
      Words second;
      philox_tile(second, noise.key.child("multiplicative normal").words(), first_pair);
      normal_tile(mult_values.data(), second);
      normal_factors(mult_values.data(), words, sieve, static_cast<float>(noise.mult));
    }
  }
};

/// One run of elements within a row: y = mult * (own * x + other * partner) + add; partner, mult, add may be
/// null.
template <typename T>
inline __attribute__((always_inline)) void apply_row_body(T* NM_RESTRICT y, const T* NM_RESTRICT x,
                                                          const T* NM_RESTRICT partner,
                                                          const float* NM_RESTRICT mult,
                                                          const float* NM_RESTRICT add, std::int64_t n,
                                                          compute_t<T> own, compute_t<T> other) {
  using C = compute_t<T>;
  const auto mixed = [=](std::int64_t i) __attribute__((always_inline)) {
    return partner == nullptr ? static_cast<C>(x[i])
                              : own * static_cast<C>(x[i]) + other * static_cast<C>(partner[i]);
  };
  if (mult != nullptr && add != nullptr) {
    for (std::int64_t i = 0; i < n; ++i)
      y[i] = T(static_cast<C>(mult[i]) * mixed(i) + static_cast<C>(add[i]));
  } else if (mult != nullptr) {
    for (std::int64_t i = 0; i < n; ++i) y[i] = T(static_cast<C>(mult[i]) * mixed(i));
  } else if (add != nullptr) {
    for (std::int64_t i = 0; i < n; ++i) y[i] = T(mixed(i) + static_cast<C>(add[i]));
  } else {
    for (std::int64_t i = 0; i < n; ++i) y[i] = T(mixed(i));
  }
}

/// Views, rows and the mixing weights of a call, as the kernel needs them.
struct Layout {
  std::int64_t batch, row;  // rows per view, elements per row
  double lambda;
  const std::int64_t* permutation;  // null when lambda is 1
};

/// Elements [begin, end) of one view, which starts at `x` and `y`; begin is a multiple of kTile.
template <typename T>
void mix_noise_chunk(const T* x, T* y, const Layout& layout, const ViewNoise& noise, std::int64_t begin,
                     std::int64_t end) {
  const bool noisy = noise.add != 0 || noise.mult != 0;
  const Sieve sieve(noise.sparse);
  const auto own = static_cast<compute_t<T>>(layout.lambda),
             other = static_cast<compute_t<T>>(1 - layout.lambda);
  NoiseTile tile;
  for (std::int64_t start = begin; start < end; start += kTile) {
    if (noisy) tile.fill(noise, sieve, static_cast<std::uint64_t>(start / 2));
    const std::int64_t stop = std::min(start + kTile, end);
    for (std::int64_t e = start; e < stop;) {  // runs within one row
      const std::int64_t r = e / layout.row, column = e % layout.row;
      const std::int64_t n = std::min((r + 1) * layout.row, stop) - e;
      const T* first = x + e;
      const T* partner =
          layout.permutation != nullptr ? x + layout.permutation[r] * layout.row + column : nullptr;
      if (layout.lambda == 0) first = std::exchange(partner, nullptr);
      apply_row_body(y + e, first, partner, tile.mult != nullptr ? tile.mult + (e - start) : nullptr,
                     tile.add != nullptr ? tile.add + (e - start) : nullptr, n, own, other);
      e += n;
    }
  }
}

}  // namespace

void mix_noise(const Tensor& x, Tensor& y, double lambda, const std::vector<std::int64_t>& permutation,
               const std::vector<ViewNoise>& noise) {
  if (x.numel() == 0) return;
  const auto views = static_cast<std::int64_t>(noise.size());
  const std::int64_t view_size = x.numel() / views;
  const Layout layout{x.dim(0) / views, x.numel() / x.dim(0), lambda,
                      lambda == 1 ? nullptr : permutation.data()};
  const std::int64_t chunks = chunk_count(view_size, kChunk);
  dispatch_floating("mix_noise", x.dtype(), [&]<typename T>() {
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    parallel_for(views * chunks, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t view = i / chunks, start = i % chunks * kChunk;
        mix_noise_chunk(from + view * view_size, to + view * view_size, layout,
                        noise[static_cast<std::size_t>(view)], start, std::min(start + kChunk, view_size));
      }
    });
  });
}

}  // namespace cpu

namespace {

constexpr Kernel mix_noise_kernel{"mix_noise", cpu::mix_noise, nullptr};

bool any_noise(const std::vector<ViewNoise>& noise) {
  return std::any_of(noise.begin(), noise.end(),
                     [](const ViewNoise& n) { return n.add != 0 || n.mult != 0; });
}

/// Checks that `permutation` is one of 0..batch-1 and returns its inverse.
std::vector<std::int64_t> inverse_of(const std::vector<std::int64_t>& permutation, std::int64_t batch) {
  NM_CHECK(static_cast<std::int64_t>(permutation.size()) == batch, "[mix_noise] permutation has ",
           permutation.size(), " indices, the views have ", batch, " rows");
  std::vector<std::int64_t> inverse(permutation.size(), -1);
  for (std::int64_t i = 0; i < batch; ++i) {
    const std::int64_t source = permutation[static_cast<std::size_t>(i)];
    NM_CHECK(source >= 0 && source < batch && inverse[static_cast<std::size_t>(source)] < 0,
             "[mix_noise] index ", source, " at position ", i, " does not belong to a permutation of ", batch,
             " rows");
    inverse[static_cast<std::size_t>(source)] = i;
  }
  return inverse;
}

void check_arguments(const Tensor& x, double lambda, const std::vector<ViewNoise>& noise) {
  NM_CHECK(is_floating(x.dtype()), "[mix_noise] expects a floating dtype (f32, bf16, f64), got ", x.dtype());
  NM_CHECK(!noise.empty() && x.rank() >= 1 && x.dim(0) % static_cast<std::int64_t>(noise.size()) == 0,
           "[mix_noise] x ", x.shape(), " does not hold ", noise.size(), " views of equally many rows");
  NM_CHECK(lambda >= 0 && lambda <= 1, "[mix_noise] lambda must be in [0, 1], got ", lambda);
  for (const ViewNoise& n : noise) {
    NM_CHECK(std::isfinite(n.add) && std::isfinite(n.mult), "[mix_noise] noise levels must be finite, got ",
             n.add, " and ", n.mult);
    NM_CHECK(n.sparse >= 0 && n.sparse <= 1, "[mix_noise] sparse must be in [0, 1], got ", n.sparse);
  }
}

/// Entries that are always left out are no noise at all; this also spares the kernels the case sparse = 1.
std::vector<ViewNoise> without_void(std::vector<ViewNoise> noise) {
  for (ViewNoise& n : noise)
    if (n.sparse == 1) n.add = n.mult = 0;
  return noise;
}

}  // namespace

Tensor mix_noise(const Tensor& x, double lambda, const std::vector<std::int64_t>& permutation,
                 const std::vector<ViewNoise>& wanted_noise) {
  check_arguments(x, lambda, wanted_noise);
  const auto noise = without_void(wanted_noise);
  const bool mixes = lambda != 1;
  if (!mixes && !any_noise(noise)) return x;
  const std::int64_t batch = x.dim(0) / static_cast<std::int64_t>(noise.size());
  auto inverse = mixes ? inverse_of(permutation, batch) : std::vector<std::int64_t>{};
  Tensor y = empty_like(x);
  mix_noise_kernel(x, y, lambda, permutation, noise);

  // The adjoint of y = mult * M x + add: first the factors, then the transposed mix. Additive noise has no
  // gradient.
  auto factors = noise;
  for (ViewNoise& n : factors) n.add = 0;
  return record("mix_noise", {x}, y,
                [lambda, inverse = std::move(inverse), factors, mixes](const Tensor& dy) {
                  Tensor scaled = dy;
                  if (any_noise(factors)) {
                    scaled = empty_like(dy);
                    mix_noise_kernel(dy, scaled, 1.0, std::vector<std::int64_t>{}, factors);
                  }
                  if (!mixes) return Grads{scaled};
                  Tensor dx = empty_like(dy);
                  mix_noise_kernel(scaled, dx, lambda, inverse, std::vector<ViewNoise>(factors.size()));
                  return Grads{dx};
                });
}

}  // namespace noisymix

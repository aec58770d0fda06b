#include "engine/ops/mix_noise.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "engine/autograd.h"
#include "engine/cpu/parallel.h"
#include "engine/philox.h"
#include "engine/cpu/vectorise.h"
#include "engine/kernel.h"
#include "engine/ops/mix_noise_math.h"

namespace noisymix {
namespace {

/// Where normal multiplicative noise is drawn from; the words of the view's own key are spent.
Key normal_key(const ViewNoise& noise) {
  return noise.key.child("multiplicative normal");
}

}  // namespace

namespace cpu {
namespace {

// Noise is made tile by tile into small arrays that stay in the first-level cache, then applied to the
// activations.
constexpr std::int64_t kTile = 512;  // elements of a tile
constexpr std::int64_t kPairs =
    kTile / 2;  // Philox blocks of a tile: one block serves two neighbouring elements
constexpr std::int64_t kChunk = 32 * kTile;  // elements handed to a thread at a time

using noise::Sieve;

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

/// Two standard normals per block, from its first two words.
NM_VECTORISED(normal_tile, (float* normals, const Words& words), (normals, words)) {
  const std::uint32_t* NM_RESTRICT radius = words.radius.data();
  const std::uint32_t* NM_RESTRICT angle = words.angle.data();
  float* NM_RESTRICT out = normals;
  for (std::int64_t j = 0; j < kPairs; ++j)
    noise::normal_pair(radius[j], angle[j], out[2 * j], out[2 * j + 1]);
}

/// add[e] = level * add[e], or 0 where the entry is left out.
NM_VECTORISED(mask_additive,
              (float* NM_RESTRICT add, const Words& words, std::uint32_t threshold, float level),
              (add, words, threshold, level)) {
  const std::uint32_t* NM_RESTRICT word = words.element.data();
  for (std::int64_t e = 0; e < kTile; ++e) add[e] = noise::additive(add[e], word[e], threshold, level);
}

/// mult[e] = 1 + level * U(-1, 1), or 1 where the entry is left out.
NM_VECTORISED(uniform_factors,
              (float* NM_RESTRICT mult, const Words& words, const Sieve& shared, float level),
              (mult, words, shared, level)) {
  const std::uint32_t* NM_RESTRICT word = words.element.data();
  const Sieve sieve = shared;
  for (std::int64_t e = 0; e < kTile; ++e) mult[e] = noise::uniform_factor(word[e], sieve, level);
}

/// mult[e] = 1 + level * mult[e], or 1 where the entry is left out: the same masks around normals that are
/// there.
NM_VECTORISED(normal_factors, (float* NM_RESTRICT mult, const Words& words, const Sieve& shared, float level),
              (mult, words, shared, level)) {
  const std::uint32_t* NM_RESTRICT word = words.element.data();
  const Sieve sieve = shared;
  for (std::int64_t e = 0; e < kTile; ++e)
    mult[e] = noise::normal_factor(mult[e], word[e], sieve, level);
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
      philox_tile(second, normal_key(noise).words(), first_pair);
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

void run(const Tensor& x, Tensor& y, double lambda, const std::vector<std::int64_t>& permutation,
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

void mix_noise(const Tensor& x, Tensor& y, MixNoisePlan& plan, MixNoisePass pass) {
  switch (pass) {
    case MixNoisePass::forward: return run(x, y, plan.lambda, plan.permutation, plan.noise);
    case MixNoisePass::factors: {
      auto factors = plan.noise;
      for (ViewNoise& n : factors) n.add = 0;
      return run(x, y, 1.0, {}, factors);
    }
    case MixNoisePass::transposed:
      return run(x, y, plan.lambda, plan.inverse, std::vector<ViewNoise>(plan.noise.size()));
  }
}

}  // namespace
}  // namespace cpu

namespace {

constexpr Kernel mix_noise_kernel{"mix_noise", cpu::mix_noise, NM_CUDA(cuda::mix_noise)};

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

/// Whether the rows are mixed. What is captured for a GPU must serve every lambda, so there it is the partners
/// that say so.
bool mixes(const Tensor& x, double lambda, const std::vector<std::int64_t>& permutation) {
  return lambda != 1 || (!x.device().is_cpu() && !permutation.empty());
}

template <typename T>
void append(std::vector<std::byte>& bytes, const T* values, std::size_t count) {
  if (count == 0) return;
  const std::size_t before = bytes.size();
  bytes.resize(before + count * sizeof(T));
  std::memcpy(bytes.data() + before, values, count * sizeof(T));
}

}  // namespace

bool MixNoisePlan::noisy() const {
  return std::any_of(noise.begin(), noise.end(),
                     [](const ViewNoise& n) { return n.add != 0 || n.mult != 0; });
}
bool MixNoisePlan::scaled() const {
  return std::any_of(noise.begin(), noise.end(), [](const ViewNoise& n) { return n.mult != 0; });
}

std::vector<std::byte> pack_mix_noise(double lambda, const std::vector<std::int64_t>& permutation,
                                      const std::vector<ViewNoise>& wanted_noise) {
  const auto views = without_void(wanted_noise);
  const auto inverse = inverse_of(permutation, static_cast<std::int64_t>(permutation.size()));
  std::vector<std::byte> bytes;
  const noise::StepHead head{lambda, static_cast<std::int64_t>(views.size())};
  append(bytes, &head, 1);
  for (const ViewNoise& n : views) {
    const noise::StepNoise step{n.key.words(),
                                normal_key(n).words(),
                                noise::Sieve(n.sparse),
                                static_cast<float>(n.add),
                                static_cast<float>(n.mult),
                                n.law == MultiplicativeLaw::normal};
    append(bytes, &step, 1);
  }
  append(bytes, permutation.data(), permutation.size());
  append(bytes, inverse.data(), inverse.size());
  return bytes;
}

Tensor mix_noise(const Tensor& x, double lambda, const std::vector<std::int64_t>& permutation,
                 const std::vector<ViewNoise>& wanted_noise) {
  check_arguments(x, lambda, wanted_noise);
  MixNoisePlan plan;
  plan.lambda = lambda;
  plan.noise = without_void(wanted_noise);
  plan.mixes = mixes(x, lambda, permutation);
  if (!plan.mixes && !plan.noisy()) return x;
  if (plan.mixes) {
    plan.inverse = inverse_of(permutation, x.dim(0) / static_cast<std::int64_t>(plan.noise.size()));
    plan.permutation = permutation;
  }
  Tensor y = empty_like(x);
  mix_noise_kernel(x, y, plan, MixNoisePass::forward);

  // The adjoint of y = mult * M x + add: first the factors, then the transposed mix. Additive noise has no
  // gradient.
  return record("mix_noise", {x}, y, [plan](const Tensor& dy) mutable {
    Tensor scaled = dy;
    if (plan.scaled()) {
      scaled = empty_like(dy);
      mix_noise_kernel(dy, scaled, plan, MixNoisePass::factors);
    }
    if (!plan.mixes) return Grads{scaled};
    Tensor dx = empty_like(dy);
    mix_noise_kernel(scaled, dx, plan, MixNoisePass::transposed);
    return Grads{dx};
  });
}

}  // namespace noisymix

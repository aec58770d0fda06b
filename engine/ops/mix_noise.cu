#include "engine/cuda/launch.h"
#include "engine/cuda/step_values.h"
#include "engine/ops/mix_noise.h"
#include "engine/ops/mix_noise_math.h"
#include "engine/philox.h"

namespace noisymix::cuda {
namespace {

using noise::StepHead;
using noise::StepNoise;

/// The numbers of a step where they lie on the device; `partners` is null where nothing is mixed.
struct Step {
  const StepHead* head;
  const StepNoise* noise;
  const std::int64_t* partners;
};

/// Rows of a view, elements of a row and of a view, and whether additive noise is meant.
struct Layout {
  std::int64_t row, view;
  bool additive;
};

/// numerator / denominator, neither negative; fast where both are small, which is practically always.
__device__ inline std::int64_t quotient(std::int64_t numerator, std::int64_t denominator) {
  if (((numerator | denominator) >> 32) == 0)
    return static_cast<std::uint32_t>(numerator) / static_cast<std::uint32_t>(denominator);
  return numerator / denominator;
}

/// Noise of elements 2j and 2j + 1 of a view: what to multiply with and what to add.
struct NoisePair {
  float mult[2] = {1, 1}, add[2] = {0, 0};

  __device__ NoisePair(const StepNoise& view, std::uint64_t block, bool additive) {
    std::uint32_t radius, angle, word[2];
    const auto low = static_cast<std::uint32_t>(block), high = static_cast<std::uint32_t>(block >> 32);
    philox_block(view.key, low, high, radius, angle, word[0], word[1]);
    if (additive && view.add != 0) {
      noise::normal_pair(radius, angle, add[0], add[1]);
#pragma unroll
      for (int k = 0; k < 2; ++k) add[k] = noise::additive(add[k], word[k], view.sieve.threshold, view.add);
    }
    if (view.mult == 0) return;
    if (view.normal_law == 0) {
#pragma unroll
      for (int k = 0; k < 2; ++k) mult[k] = noise::uniform_factor(word[k], view.sieve, view.mult);
      return;
    }
    std::uint32_t unused[2];
    philox_block(view.normal_key, low, high, radius, angle, unused[0], unused[1]);
    noise::normal_pair(radius, angle, mult[0], mult[1]);
#pragma unroll
    for (int k = 0; k < 2; ++k) mult[k] = noise::normal_factor(mult[k], word[k], view.sieve, view.mult);
  }
};

/// own * x + other * partner, reading neither where its weight is 0.
template <int N, typename T, typename C = compute_t<T>>
__device__ inline void mix(const T* own, const T* partner, double lambda, C (&z)[N]) {
  if (partner == nullptr || lambda == 1)
    partner = nullptr;
  else if (lambda == 0)
    own = partner, partner = nullptr;
  const Pack<T, N> first = load_pack<N>(own);
  if (partner == nullptr) {
#pragma unroll
    for (int k = 0; k < N; ++k) z[k] = value_of(first.at[k]);
    return;
  }
  const Pack<T, N> second = load_pack<N>(partner);
  const C mine = static_cast<C>(lambda), others = static_cast<C>(1 - lambda);
#pragma unroll
  for (int k = 0; k < N; ++k) z[k] = mine * value_of(first.at[k]) + others * value_of(second.at[k]);
}

/// Packs of N elements, N even; they lie within a row. blockIdx.y is the view.
template <int N, bool kNoise, typename T>
__global__ void __launch_bounds__(kBlock)
    pack_kernel(const T* __restrict__ x, T* __restrict__ y, Step step, Layout layout) {
  using C = compute_t<T>;
  x += layout.view * blockIdx.y;
  y += layout.view * blockIdx.y;
  const double lambda = step.head->lambda;
  const StepNoise& view = step.noise[blockIdx.y];
  NM_FOR_EACH(i, layout.view / N) {
    const std::int64_t e = i * N;
    const T* partner = nullptr;
    if (step.partners != nullptr) {
      const std::int64_t r = quotient(e, layout.row);
      partner = x + step.partners[r] * layout.row + (e - r * layout.row);
    }
    C z[N];
    mix<N>(x + e, partner, lambda, z);
    Pack<T, N> out;
    if constexpr (kNoise) {
#pragma unroll
      for (int k = 0; k < N; k += 2) {
        const NoisePair pair(view, static_cast<std::uint64_t>((e + k) / 2), layout.additive);
        out.at[k] = T(static_cast<C>(pair.mult[0]) * z[k] + static_cast<C>(pair.add[0]));
        out.at[k + 1] = T(static_cast<C>(pair.mult[1]) * z[k + 1] + static_cast<C>(pair.add[1]));
      }
    } else {
#pragma unroll
      for (int k = 0; k < N; ++k) out.at[k] = T(z[k]);
    }
    store_pack<N>(y + e, out);
  }
}

/// The same for rows of any size: pairs of neighbouring elements, which may lie in two rows or miss the
/// second.
template <typename T>
__global__ void pair_kernel(const T* __restrict__ x, T* __restrict__ y, Step step, Layout layout,
                            bool noisy) {
  using C = compute_t<T>;
  x += layout.view * blockIdx.y;
  y += layout.view * blockIdx.y;
  const double lambda = step.head->lambda;
  const StepNoise& view = step.noise[blockIdx.y];
  NM_FOR_EACH(j, (layout.view + 1) / 2) {
    float mult[2] = {1, 1}, add[2] = {0, 0};
    if (noisy) {
      const NoisePair pair(view, static_cast<std::uint64_t>(j), layout.additive);
      for (int k = 0; k < 2; ++k) mult[k] = pair.mult[k], add[k] = pair.add[k];
    }
    for (int k = 0; k < 2 && 2 * j + k < layout.view; ++k) {
      const std::int64_t e = 2 * j + k, r = quotient(e, layout.row);
      const T* partner =
          step.partners == nullptr ? nullptr : x + step.partners[r] * layout.row + (e - r * layout.row);
      C z[1];
      mix<1>(x + e, partner, lambda, z);
      y[e] = T(noisy ? static_cast<C>(mult[k]) * z[0] + static_cast<C>(add[k]) : z[0]);
    }
  }
}

}  // namespace

void mix_noise(const Tensor& x, Tensor& y, MixNoisePlan& plan, MixNoisePass pass) {
  if (!plan.step.defined()) {
    const std::vector<std::byte> bytes = pack_mix_noise(plan.lambda, plan.permutation, plan.noise);
    plan.step = upload("mix_noise", bytes.data(), bytes.size(), x.device());
  }
  if (x.numel() == 0) return;
  const auto views = static_cast<std::int64_t>(plan.noise.size());
  const std::byte* bytes = plan.step.raw();
  Step step{reinterpret_cast<const StepHead*>(bytes),
            reinterpret_cast<const StepNoise*>(bytes + sizeof(StepHead)), nullptr};
  if (plan.mixes && pass != MixNoisePass::factors) {
    step.partners = reinterpret_cast<const std::int64_t*>(step.noise + views);
    if (pass == MixNoisePass::transposed) step.partners += plan.permutation.size();
  }
  const Layout layout{x.numel() / x.dim(0), x.numel() / views, pass == MixNoisePass::forward};
  const bool noisy = pass == MixNoisePass::forward ? plan.noisy() : pass == MixNoisePass::factors;
  dispatch_floating("mix_noise", x.dtype(), [&]<typename T>() {
    constexpr int n = kPack<T>;
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    const auto grid = [&](std::int64_t threads) {
      return dim3(blocks_for(threads), static_cast<unsigned>(views));
    };
    if (layout.row % n == 0 && packable(from, to))
      launch(noisy ? pack_kernel<n, true, T> : pack_kernel<n, false, T>, grid(layout.view / n), kBlock, from,
             to, step, layout);
    else
      launch(pair_kernel<T>, grid((layout.view + 1) / 2), kBlock, from, to, step, layout, noisy);
  });
}

}  // namespace noisymix::cuda

// The exact NFM loss by sampling: millions of passes through a network of a few dozen units, hence plain
// loops over arrays instead of tensors.
#include <algorithm>
#include <cmath>

#include "engine/cpu/parallel.h"
#include "engine/cpu/vectorise.h"
#include "engine/error.h"
#include "tools/analysis/nfm_loss.h"

namespace noisymix {
namespace {

// Stretches in the table of draws. A prime, so that the pairs of a point do not meet the same ones.
constexpr std::int64_t kStretches = 2039;

struct TwoLayers {
  std::vector<float> from_x0, from_x1, bias, out;  // one entry per hidden unit
  float out_bias = 0;
};

TwoLayers read_layers(const Model& model) {
  const Module::Named parameters = model.parameters();
  const bool fits = parameters.size() == 4 && parameters[0].second.rank() == 2 &&
                    parameters[0].second.dim(1) == 2 &&
                    parameters[2].second.shape() == Shape{1, parameters[0].second.dim(0)};
  NM_CHECK(fits, "[sampled_nfm_loss] expects a network 2 -> units -> 1");
  const auto values = [&](std::size_t i) {
    return parameters[i].second.detach().to(Dtype::f32).to_vector<float>();
  };
  TwoLayers net;
  const std::vector<float> weight = values(0);
  for (std::size_t i = 0; i < weight.size(); i += 2) {
    net.from_x0.push_back(weight[i]);
    net.from_x1.push_back(weight[i + 1]);
  }
  net.bias = values(1);
  net.out = values(2);
  net.out_bias = values(3)[0];
  return net;
}

NM_VECTORISED(add_relu_unit,
              (float* NM_RESTRICT f, const float* NM_RESTRICT x0, const float* NM_RESTRICT x1,
               std::int64_t count, float w0, float w1, float bias, float out),
              (f, x0, x1, count, w0, w1, bias, out)) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float z = w0 * x0[i] + w1 * x1[i] + bias;
    f[i] += out * (z > 0 ? z : 0.0f);
  }
}

void add_gelu_unit(float* f, const float* x0, const float* x1, std::int64_t count, float w0, float w1,
                   float bias, float out) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float z = w0 * x0[i] + w1 * x1[i] + bias;
    f[i] += out * z * 0.5f * std::erfc(-z * 0.70710678f);
  }
}

/// Adds the losses of one pair under its draws to `sums`, one per draw.
class PairLoss {
 public:
  PairLoss(const TwoLayers& net, ActivationKind activation, int draws)
      : net_(net),
        relu_(activation == ActivationKind::relu),
        count_(draws),
        work_(3 * static_cast<std::size_t>(draws)) {}

  void add(const float* draw, const double* a, const double* b, double label_a, double label_b,
           double* sums) {
    float *x0 = work_.data(), *x1 = x0 + count_, *f = x1 + count_;
    const float* lambda = draw;
    const float a0 = static_cast<float>(a[0]), a1 = static_cast<float>(a[1]);
    const float b0 = static_cast<float>(b[0]), b1 = static_cast<float>(b[1]);
    for (std::int64_t i = 0; i < count_; ++i) {
      x0[i] = draw[count_ + i] * (lambda[i] * a0 + (1 - lambda[i]) * b0) + draw[3 * count_ + i];
      x1[i] = draw[2 * count_ + i] * (lambda[i] * a1 + (1 - lambda[i]) * b1) + draw[4 * count_ + i];
      f[i] = net_.out_bias;
    }
    for (std::size_t u = 0; u < net_.out.size(); ++u)
      (relu_ ? add_relu_unit : add_gelu_unit)(f, x0, x1, count_, net_.from_x0[u], net_.from_x1[u],
                                              net_.bias[u], net_.out[u]);
    for (std::int64_t i = 0; i < count_; ++i) {
      const double l = static_cast<double>(lambda[i]), target = l * label_a + (1 - l) * label_b;
      const float soft = std::max(f[i], 0.0f) + std::log1p(std::exp(-std::abs(f[i])));
      sums[i] += static_cast<double>(soft) - target * static_cast<double>(f[i]);
    }
  }

 private:
  const TwoLayers& net_;
  bool relu_;
  std::int64_t count_;
  std::vector<float> work_;
};

}  // namespace

NfmDraws::NfmDraws(const NfmLaw& law, int draws, Key key) : draws_(draws) {
  NM_CHECK_AS(ConfigError, draws >= 1, "[nfm_loss] needs at least one draw for each pair, got ", draws);
  NM_CHECK_AS(ConfigError, law.alpha >= 0 && law.add >= 0 && law.mult >= 0,
              "[nfm_loss] alpha and noise levels must not be negative, got ", law.alpha, ", ", law.add,
              " and ", law.mult);
  const auto count = static_cast<std::size_t>(draws);
  table_.resize(kStretches * count * 5);
  cpu::parallel_for(kStretches, 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t s = begin; s < end; ++s) {
      float* to = &table_[static_cast<std::size_t>(s) * count * 5];
      Draws own(key.child(s));
      const auto scale = [&] { return law.scale == NoiseScale::beta25 ? own.beta(2, 5) : 1.0; };
      for (std::size_t i = 0; i < count; ++i) {
        to[i] = law.alpha > 0 ? static_cast<float>(own.beta(law.alpha, law.alpha)) : 1.0f;
        const double mult = law.mult * scale(), add = law.add * scale();
        for (const std::size_t d : {1u, 2u}) {
          to[d * count + i] = static_cast<float>(1 + mult * (2 * own.uniform() - 1));
          to[(d + 2) * count + i] = static_cast<float>(add * own.normal());
        }
      }
    }
  });
}

const float* NfmDraws::of_pair(std::int64_t pair) const {
  return table_.data() + (pair % kStretches) * draws_ * 5;
}

SampledLoss sampled_nfm_loss(const Model& model, ActivationKind activation, const PlanePoints& points,
                             const NfmDraws& draws) {
  const TwoLayers net = read_layers(model);
  const std::vector<double> x = points.x.to_vector<double>(), y = points.y.to_vector<double>();
  const std::int64_t n = points.size();
  const auto count = static_cast<std::size_t>(draws.draws());
  std::vector<double> sums(static_cast<std::size_t>(n) * count, 0.0);  // of each first point, by draw
  cpu::parallel_for(n, 1, [&](std::int64_t begin, std::int64_t end) {
    PairLoss loss(net, activation, draws.draws());
    for (std::int64_t i = begin; i < end; ++i) {
      const auto a = static_cast<std::size_t>(i);
      for (std::int64_t j = 0; j < n; ++j) {
        const auto b = static_cast<std::size_t>(j);
        loss.add(draws.of_pair(i * n + j), &x[2 * a], &x[2 * b], y[a], y[b], &sums[a * count]);
      }
    }
  });
  // Draws of different numbers are independent, so the spread of their means tells the error.
  double total = 0, squares = 0;
  for (std::size_t d = 0; d < count; ++d) {
    double mean = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) mean += sums[i * count + d];
    mean /= static_cast<double>(n) * static_cast<double>(n);
    total += mean;
    squares += mean * mean;
  }
  const double draw_count = static_cast<double>(count), mean = total / draw_count;
  const double variance =
      count > 1 ? std::max(squares / draw_count - mean * mean, 0.0) / (draw_count - 1) : 0;
  return {mean, std::sqrt(variance)};
}

}  // namespace noisymix

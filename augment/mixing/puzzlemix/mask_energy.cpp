#include "augment/mixing/puzzlemix/mask_energy.h"

#include <algorithm>
#include <cmath>

#include "engine/error.h"

namespace noisymix {
namespace {

/// -log of the probability that label l has under a binomial law: lambda^2, 2 lambda (1 - lambda), (1 -
/// lambda)^2 for three labels.
std::vector<double> priors(std::int64_t labels, double lambda) {
  std::vector<double> result;
  double choose = 1;
  const std::int64_t last = labels - 1;
  for (std::int64_t l = 0; l <= last; ++l) {
    const double probability = choose * std::pow(lambda, static_cast<double>(last - l)) *
                               std::pow(1 - lambda, static_cast<double>(l));
    result.push_back(-std::log(probability + 1e-8));
    choose = choose * static_cast<double>(last - l) / static_cast<double>(l + 1);
  }
  return result;
}

/// Whole costs; what is no number counts nothing.
std::int64_t truncated(double cost) {
  if (std::isnan(cost)) return 0;
  return static_cast<std::int64_t>(std::clamp(cost, -1e12, 1e12));
}

/// The four costs of one seam: index 1 where a side shows the own image, 0 where it shows the partner.
struct Seam {
  double g[2][2];
};

/// Means over cells along the edge between two neighbouring blocks, and over channels, of |first - second|.
class SeamCosts {
 public:
  SeamCosts(const CellMeans& cells, std::int64_t blocks, double scale)
      : cells_(cells), per_block_(cells.side / blocks), scale_(scale) {}

  /// Between block (y, x) and the one below it, or on its right.
  Seam of(std::int64_t y, std::int64_t x, bool below) const {
    Seam seam;
    for (int a = 0; a < 2; ++a)
      for (int b = 0; b < 2; ++b)
        seam.g[a][b] = scale_ * gap(a == 1 ? cells_.own : cells_.partner,
                                    b == 1 ? cells_.own : cells_.partner, y, x, below);
    return seam;
  }

 private:
  double gap(const double* first, const double* second, std::int64_t y, std::int64_t x, bool below) const {
    const std::int64_t row = y * per_block_ + (below ? per_block_ - 1 : 0);
    const std::int64_t column = x * per_block_ + (below ? 0 : per_block_ - 1);
    const std::int64_t step = (below ? cells_.side : 1) * cells_.channels;  // across the edge
    double sum = 0;
    for (std::int64_t i = 0; i < per_block_; ++i) {
      const std::int64_t cell = below ? row * cells_.side + column + i : (row + i) * cells_.side + column;
      const double* left = first + cell * cells_.channels;
      const double* right = second + cell * cells_.channels + step;
      for (std::int64_t c = 0; c < cells_.channels; ++c) sum += std::abs(left[c] - right[c]);
    }
    return sum / static_cast<double>(per_block_ * cells_.channels);
  }

  CellMeans cells_;
  std::int64_t per_block_;
  double scale_;
};

/// Costs per block and weights per edge, before rounding.
struct RealEnergy {
  std::vector<double> lose_own, lose_partner;  // U1, U2

  /// Adds the parts of a seam that belong to one block; returns the rest, which falls on unlike neighbours.
  double fold(const Seam& seam, std::size_t first, std::size_t second) {
    const auto& g = seam.g;
    lose_partner[first] += (g[1][0] + g[1][1]) / 2;
    lose_own[first] += (g[0][0] + g[0][1]) / 2;
    lose_partner[second] += (g[0][1] + g[1][1]) / 2;
    lose_own[second] += (g[0][0] + g[1][0]) / 2;
    return (g[1][0] + g[0][1] - g[1][1] - g[0][0]) / 2;
  }
};

}  // namespace

GridEnergy mask_energy(const PuzzleMixOptions& options, std::int64_t blocks, double lambda,
                       const BlockSaliency& saliency, const CellMeans& cells) {
  NM_CHECK(blocks >= 1 && cells.side >= blocks && cells.side % blocks == 0, "[puzzlemix] ", cells.side,
           " cells along a side are no multiple of ", blocks, " blocks");
  const std::int64_t count = blocks * blocks;
  const double smoothness = options.beta / (16 * static_cast<double>(blocks));
  const double scale = options.cost_scale * static_cast<double>(count);
  const SeamCosts seams(cells, blocks, smoothness * options.gamma);
  RealEnergy real{{saliency.own, saliency.own + count}, {saliency.partner, saliency.partner + count}};
  GridEnergy energy;
  energy.side = blocks;
  energy.labels = options.labels;
  const auto add_seam = [&](std::int64_t y, std::int64_t x, bool below) {
    const std::int64_t first = y * blocks + x, second = first + (below ? blocks : 1);
    const double weight =
        real.fold(seams.of(y, x, below), static_cast<std::size_t>(first), static_cast<std::size_t>(second)) +
        smoothness;
    // Never negative for values in [0, 1]; augmented images may leave this range.
    (below ? energy.down : energy.right).push_back(std::max<std::int64_t>(truncated(scale * weight), 0));
  };
  for (std::int64_t y = 0; y < blocks; ++y)
    for (std::int64_t x = 0; x + 1 < blocks; ++x) add_seam(y, x, false);
  for (std::int64_t y = 0; y + 1 < blocks; ++y)
    for (std::int64_t x = 0; x < blocks; ++x) add_seam(y, x, true);
  // Whole numbers: (z_i - z_j)^2 is (l_i - l_j)^2 / (labels - 1)^2, so all other costs get that factor.
  const std::int64_t last = options.labels - 1;
  const std::vector<double> prior = priors(options.labels, lambda);
  energy.unary.reserve(static_cast<std::size_t>(count * options.labels));
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
    for (std::int64_t l = 0; l <= last; ++l) {
      const double z = 1 - static_cast<double>(l) / static_cast<double>(last);
      const double cost = z * real.lose_partner[i] + (1 - z) * real.lose_own[i] +
                          options.eta * prior[static_cast<std::size_t>(l)] / static_cast<double>(count);
      energy.unary.push_back(last * last * truncated(scale * cost));
    }
  return energy;
}

}  // namespace noisymix

// PuzzleMix's energy written out pixel by pixel in f64, for tests to compare with.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "augment/mixing/puzzlemix/puzzlemix.h"

namespace noisymix::testing {

/// One image of side x side pixels: values in [0, 1], [side][side][channels], and saliency [side][side].
struct PlainImage {
  std::vector<double> pixels, saliency;
  std::size_t side, channels;

  double pixel(std::size_t y, std::size_t x, std::size_t c) const {
    return pixels[(y * side + x) * channels + c];
  }
  /// Mean over a square of `size` pixels, the (y, x)-th of its size.
  double mean_of(std::size_t y, std::size_t x, std::size_t size, std::size_t c) const {
    double sum = 0;
    for (std::size_t v = 0; v < size; ++v)
      for (std::size_t u = 0; u < size; ++u) sum += pixel(y * size + v, x * size + u, c);
    return sum / static_cast<double>(size * size);
  }
  /// Share of the image's saliency in a square.
  double share_of(std::size_t y, std::size_t x, std::size_t size) const {
    double sum = 0, all = 0;
    for (const double s : saliency) all += s;
    for (std::size_t v = 0; v < size; ++v)
      for (std::size_t u = 0; u < size; ++u) sum += saliency[(y * size + v) * side + x * size + u];
    return sum / all;
  }
};

class PuzzleByDefinition {
 public:
  PuzzleByDefinition(const PuzzleMixOptions& options, std::size_t blocks, double lambda,
                     const PlainImage& own, const PlainImage& partner)
      : options_(options), m_(blocks), lambda_(lambda), own_(own), partner_(partner) {}

  /// Energy of the mask values z [m][m] as section 3 of the paper has it: saliency lost, prior, and for each
  /// edge the seam between what either side shows, plus beta / (16 m) (z_i - z_j)^2.
  double energy(const std::vector<double>& z) const {
    const double m = static_cast<double>(m_), smooth = options_.beta / (16 * m);
    const std::size_t block = own_.side / m_;
    std::vector<double> lose_own, lose_partner;
    for (std::size_t y = 0; y < m_; ++y)
      for (std::size_t x = 0; x < m_; ++x) {
        lose_own.push_back(own_.share_of(y, x, block));
        lose_partner.push_back(partner_.share_of(y, x, block));
      }
    double edges = 0;
    const auto add_edge = [&](std::size_t i, std::size_t j, bool below) {
      double g[2][2];
      for (int a = 0; a < 2; ++a)
        for (int b = 0; b < 2; ++b) g[a][b] = smooth * options_.gamma * seam(i, a == 1, b == 1, below);
      lose_partner[i] += (g[1][0] + g[1][1]) / 2;
      lose_own[i] += (g[0][0] + g[0][1]) / 2;
      lose_partner[j] += (g[0][1] + g[1][1]) / 2;
      lose_own[j] += (g[0][0] + g[1][0]) / 2;
      edges += ((g[1][0] + g[0][1] - g[1][1] - g[0][0]) / 2 + smooth) * (z[i] - z[j]) * (z[i] - z[j]);
    };
    for (std::size_t y = 0; y < m_; ++y)
      for (std::size_t x = 0; x < m_; ++x) {
        if (x + 1 < m_) add_edge(y * m_ + x, y * m_ + x + 1, false);
        if (y + 1 < m_) add_edge(y * m_ + x, (y + 1) * m_ + x, true);
      }
    double sum = edges;
    for (std::size_t i = 0; i < z.size(); ++i)
      sum += z[i] * lose_partner[i] + (1 - z[i]) * lose_own[i] + options_.eta / (m * m) * prior(z[i]);
    return sum;
  }

  /// Means over channels and along the edge of what differs between block i and its neighbour, each of its
  /// own image or of the partner's.
  double seam(std::size_t i, bool first_own, bool second_own, bool below) const {
    const std::size_t block = own_.side / m_, cell = block < 4 ? block : 4, per_block = block / cell;
    const PlainImage &first = first_own ? own_ : partner_, &second = second_own ? own_ : partner_;
    double sum = 0;
    for (std::size_t k = 0; k < per_block; ++k)
      for (std::size_t c = 0; c < own_.channels; ++c) {
        const std::size_t y = i / m_ * per_block + (below ? per_block - 1 : k);
        const std::size_t x = i % m_ * per_block + (below ? k : per_block - 1);
        sum += std::abs(first.mean_of(y, x, cell, c) - second.mean_of(y + below, x + !below, cell, c));
      }
    return sum / static_cast<double>(per_block * own_.channels);
  }

  double prior(double z) const {
    if (options_.labels == 2) return -std::log((z == 1 ? lambda_ : 1 - lambda_) + 1e-8);
    if (z == 1) return -std::log(lambda_ * lambda_ + 1e-8);
    if (z == 0) return -std::log((1 - lambda_) * (1 - lambda_) + 1e-8);
    return -std::log(2 * lambda_ * (1 - lambda_) + 1e-8);
  }

 private:
  const PuzzleMixOptions& options_;
  std::size_t m_;
  double lambda_;
  const PlainImage &own_, &partner_;
};

}  // namespace noisymix::testing

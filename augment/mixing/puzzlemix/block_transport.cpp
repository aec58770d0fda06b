#include "augment/mixing/puzzlemix/block_transport.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {
namespace {

constexpr std::int64_t kLanes = 16;
constexpr float kInfinite = std::numeric_limits<float>::infinity();

NM_VECTORISED(fill_costs,
              (float* NM_RESTRICT row, const float* NM_RESTRICT distance, const float* NM_RESTRICT visible,
               float saliency, std::int64_t count),
              (row, distance, visible, saliency, count)) {
  for (std::int64_t j = 0; j < count; ++j) row[j] = distance[j] - saliency * visible[j];
}

/// The least of count values, a multiple of kLanes.
NM_VECTORISED(find_least, (const float* NM_RESTRICT row, std::int64_t count, float* NM_RESTRICT least),
              (row, count, least)) {
  float lanes[kLanes];
  for (std::int64_t l = 0; l < kLanes; ++l) lanes[l] = row[l];
  for (std::int64_t j = kLanes; j < count; j += kLanes)
    for (std::int64_t l = 0; l < kLanes; ++l) lanes[l] = row[j + l] < lanes[l] ? row[j + l] : lanes[l];
  float result = lanes[0];
  for (std::int64_t l = 1; l < kLanes; ++l) result = lanes[l] < result ? lanes[l] : result;
  *least = result;
}

/// Index of the first least value.
std::int64_t cheapest(const float* row, std::int64_t count) {
  float least;
  find_least(row, count, &least);
  return std::find(row, row + count, least) - row;
}

/// For each target the cheapest of the cells that chose it, or -1.
void resolve(const std::vector<float>& costs, std::int64_t row, const std::vector<std::int64_t>& choice,
             std::vector<std::int64_t>& winner) {
  std::fill(winner.begin(), winner.end(), -1);
  for (std::size_t i = 0; i < choice.size(); ++i) {
    const std::int64_t target = choice[i];
    std::int64_t& best = winner[static_cast<std::size_t>(target)];
    if (best < 0 || costs[i * static_cast<std::size_t>(row) + static_cast<std::size_t>(target)] <
                        costs[static_cast<std::size_t>(best * row + target)])
      best = static_cast<std::int64_t>(i);
  }
}

}  // namespace

BlockTransport::BlockTransport(std::int64_t side, double t_eps) : side_(side) {
  NM_CHECK(side >= 2 && side <= 64, "[block_transport] expects 2 to 64 cells along a side, got ", side,
           "; choose larger cells");
  NM_CHECK_AS(ConfigError, t_eps >= 0 && std::isfinite(t_eps),
              "[block_transport] t_eps must be a number of at least 0, got ", t_eps);
  const std::int64_t cells = side * side;
  row_ = (cells + kLanes - 1) / kLanes * kLanes;
  distance_.assign(static_cast<std::size_t>(cells * row_), kInfinite);
  const double scale = t_eps / static_cast<double>((side - 1) * (side - 1));
  for (std::int64_t i = 0; i < cells; ++i)
    for (std::int64_t j = 0; j < cells; ++j) {
      const std::int64_t dy = i / side - j / side, dx = i % side - j % side;
      distance_[static_cast<std::size_t>(i * row_ + j)] =
          static_cast<float>(scale * static_cast<double>(dy * dy + dx * dx));
    }
}

std::vector<std::int64_t> BlockTransport::plan(const float* saliency, const float* visible) const {
  const std::int64_t cells = side_ * side_;
  const auto count = static_cast<std::size_t>(cells);
  std::vector<float> padded(static_cast<std::size_t>(row_), 0.0f), costs(distance_.size());
  std::copy_n(visible, cells, padded.begin());
  std::vector<std::int64_t> choice(count), winner(count);
  const auto costs_of = [&](std::int64_t i) { return costs.data() + i * row_; };
  for (std::int64_t i = 0; i < cells; ++i) {
    fill_costs(costs_of(i), distance_.data() + i * row_, padded.data(), saliency[i], row_);
    choice[static_cast<std::size_t>(i)] = cheapest(costs_of(i), row_);
  }
  resolve(costs, row_, choice, winner);
  for (std::int64_t round = 1; round < side_; ++round) {
    bool settled = true;
    for (std::int64_t i = 0; i < cells; ++i) {
      std::int64_t& target = choice[static_cast<std::size_t>(i)];
      if (winner[static_cast<std::size_t>(target)] == i) continue;  // its costs are what they were
      settled = false;
      costs_of(i)[target] += 1;
      target = cheapest(costs_of(i), row_);
    }
    if (settled) break;
    resolve(costs, row_, choice, winner);
  }
  return winner;
}

}  // namespace noisymix

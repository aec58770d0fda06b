#include "augment/mixing/puzzlemix/alpha_beta_swap.h"

#include <algorithm>

#include "engine/error.h"

namespace noisymix {
namespace {

std::int64_t squared_gap(std::int64_t a, std::int64_t b) {
  return (a - b) * (a - b);
}

/// Calls body(node, neighbour, weight, horizontal) for every edge.
template <typename Body>
void for_each_edge(const GridEnergy& energy, Body&& body) {
  const std::int64_t side = energy.side;
  for (std::int64_t y = 0; y < side; ++y)
    for (std::int64_t x = 0; x + 1 < side; ++x)
      body(y * side + x, y * side + x + 1, energy.right[static_cast<std::size_t>(y * (side - 1) + x)], true);
  for (std::int64_t y = 0; y + 1 < side; ++y)
    for (std::int64_t x = 0; x < side; ++x)
      body(y * side + x, (y + 1) * side + x, energy.down[static_cast<std::size_t>(y * side + x)], false);
}

void check_energy(const GridEnergy& energy) {
  const std::int64_t side = energy.side, labels = energy.labels;
  NM_CHECK(side >= 1 && side <= 4096 && labels >= 2 && labels <= 255,
           "[alpha_beta_swap] expects a side of 1 to 4096 and 2 to 255 labels, got ", side, " and ", labels);
  const auto edges = static_cast<std::size_t>(side * (side - 1));
  NM_CHECK(energy.unary.size() == static_cast<std::size_t>(side * side * labels) &&
               energy.right.size() == edges && energy.down.size() == edges,
           "[alpha_beta_swap] a side of ", side, " with ", labels, " labels needs ", side * side * labels,
           " costs and ", edges, " weights per direction, got ", energy.unary.size(), ", ",
           energy.right.size(), " and ", energy.down.size());
  for (const auto* weights : {&energy.right, &energy.down})
    for (const std::int64_t weight : *weights)
      NM_CHECK(weight >= 0, "[alpha_beta_swap] weights must not be negative, got ", weight);
}

}  // namespace

std::int64_t GridEnergy::of(const std::vector<std::uint8_t>& labelling) const {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < labelling.size(); ++i)
    sum += unary[i * static_cast<std::size_t>(labels) + labelling[i]];
  for_each_edge(*this, [&](std::int64_t a, std::int64_t b, std::int64_t weight, bool) {
    sum +=
        weight * squared_gap(labelling[static_cast<std::size_t>(a)], labelling[static_cast<std::size_t>(b)]);
  });
  return sum;
}

bool AlphaBetaSwap::swap(const GridEnergy& energy, std::uint8_t alpha, std::uint8_t beta,
                         std::vector<std::uint8_t>& labelling, std::int64_t& best) {
  const auto takes_part = [&](std::int64_t node) {
    const std::uint8_t label = labelling[static_cast<std::size_t>(node)];
    return label == alpha || label == beta;
  };
  // Nodes on the source's side will have label alpha. The others keep theirs and become costs of neighbours.
  cut_.reset(energy.side, energy.side);
  const std::int64_t nodes = energy.side * energy.side;
  for (std::int64_t node = 0; node < nodes; ++node) {
    if (!takes_part(node)) continue;
    const std::int64_t* costs = &energy.unary[static_cast<std::size_t>(node * energy.labels)];
    cut_.add_costs(node, costs[beta], costs[alpha]);
  }
  const auto add_fixed = [&](std::int64_t node, std::int64_t fixed, std::int64_t weight) {
    const std::int64_t label = labelling[static_cast<std::size_t>(fixed)];
    cut_.add_costs(node, weight * squared_gap(beta, label), weight * squared_gap(alpha, label));
  };
  for_each_edge(energy, [&](std::int64_t a, std::int64_t b, std::int64_t weight, bool horizontal) {
    const bool a_free = takes_part(a), b_free = takes_part(b);
    if (a_free && b_free) {
      const std::int64_t capacity = weight * squared_gap(alpha, beta);
      horizontal ? cut_.add_edge_right(a, capacity) : cut_.add_edge_down(a, capacity);
    } else if (a_free) {
      add_fixed(a, b, weight);
    } else if (b_free) {
      add_fixed(b, a, weight);
    }
  });
  cut_.solve();
  candidate_ = labelling;
  for (std::int64_t node = 0; node < nodes; ++node)
    if (takes_part(node))
      candidate_[static_cast<std::size_t>(node)] = cut_.on_source_side(node) ? alpha : beta;
  const std::int64_t reached = energy.of(candidate_);
  if (reached >= best) return false;
  best = reached;
  labelling.swap(candidate_);
  return true;
}

std::vector<std::uint8_t> AlphaBetaSwap::minimise(const GridEnergy& energy) {
  check_energy(energy);
  std::vector<std::uint8_t> labelling(static_cast<std::size_t>(energy.side * energy.side), 0);
  std::int64_t best = energy.of(labelling);
  const std::int64_t pairs = energy.labels * (energy.labels - 1) / 2;
  std::int64_t idle = 0;  // pairs in a row that improved nothing; the one that did need not be tried again
  while (idle < pairs)
    for (std::int64_t alpha = 0; alpha < energy.labels && idle < pairs; ++alpha)
      for (std::int64_t beta = energy.labels - 1; beta > alpha && idle < pairs; --beta)
        idle =
            swap(energy, static_cast<std::uint8_t>(alpha), static_cast<std::uint8_t>(beta), labelling, best)
                ? 1
                : idle + 1;
  return labelling;
}

}  // namespace noisymix

// Labellings against all labellings: global minima for two labels, no better swap for three.
#include "augment/mixing/puzzlemix/alpha_beta_swap.h"

#include <algorithm>
#include <functional>
#include <limits>

#include "tests/check_op.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

using Labelling = std::vector<std::uint8_t>;

GridEnergy random_energy(std::int64_t side, std::int64_t labels, std::int64_t unary, std::int64_t weight,
                         Key key) {
  Draws draws(key);
  GridEnergy energy;
  energy.side = side;
  energy.labels = labels;
  for (std::int64_t i = 0; i < side * side * labels; ++i)
    energy.unary.push_back(draws.below(unary) - unary / 4);
  for (std::int64_t i = 0; i < side * (side - 1); ++i) {
    energy.right.push_back(draws.below(weight));
    energy.down.push_back(draws.below(weight));
  }
  return energy;
}

/// The energy from its definition.
std::int64_t energy_of(const GridEnergy& energy, const Labelling& l) {
  const auto side = static_cast<std::size_t>(energy.side), labels = static_cast<std::size_t>(energy.labels);
  std::int64_t sum = 0;
  for (std::size_t y = 0; y < side; ++y)
    for (std::size_t x = 0; x < side; ++x) {
      const std::int64_t own = l[y * side + x];
      sum += energy.unary[(y * side + x) * labels + l[y * side + x]];
      if (x + 1 < side) {
        const std::int64_t gap = own - l[y * side + x + 1];
        sum += energy.right[y * (side - 1) + x] * gap * gap;
      }
      if (y + 1 < side) {
        const std::int64_t gap = own - l[(y + 1) * side + x];
        sum += energy.down[y * side + x] * gap * gap;
      }
    }
  return sum;
}

void for_all_labellings(std::size_t nodes, std::uint8_t labels,
                        const std::function<void(const Labelling&)>& body) {
  Labelling l(nodes, 0);
  for (;;) {
    body(l);
    std::size_t i = 0;
    while (i < nodes && ++l[i] == labels) l[i++] = 0;
    if (i == nodes) return;
  }
}

/// The least energy after any exchange of labels alpha and beta.
std::int64_t best_swap(const GridEnergy& energy, const Labelling& from, std::uint8_t alpha,
                       std::uint8_t beta) {
  std::vector<std::size_t> nodes;
  for (std::size_t i = 0; i < from.size(); ++i)
    if (from[i] == alpha || from[i] == beta) nodes.push_back(i);
  std::int64_t best = std::numeric_limits<std::int64_t>::max();
  for_all_labellings(nodes.size(), 2, [&](const Labelling& choice) {
    Labelling l = from;
    for (std::size_t k = 0; k < nodes.size(); ++k) l[nodes[k]] = choice[k] == 0 ? alpha : beta;
    best = std::min(best, energy_of(energy, l));
  });
  return best;
}

}  // namespace

TEST_CASE("the energy of a labelling is that of its definition") {
  for (int seed = 0; seed < 20; ++seed) {
    const GridEnergy energy = random_energy(4, 3, 100, 40, Key(seed));
    Labelling l;
    for (std::uint64_t i = 0; i < 16; ++i)
      l.push_back(static_cast<std::uint8_t>(Key(seed).child("l").below(i, 3)));
    CHECK(energy.of(l) == energy_of(energy, l));
  }
}

TEST_CASE("two labels: the best of all labellings") {
  AlphaBetaSwap swaps;
  for (int seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    const GridEnergy energy = random_energy(3, 2, 100, seed % 2 == 0 ? 20 : 80, Key(seed));
    std::int64_t best = std::numeric_limits<std::int64_t>::max();
    for_all_labellings(9, 2, [&](const Labelling& l) { best = std::min(best, energy_of(energy, l)); });
    CHECK(energy_of(energy, swaps.minimise(energy)) == best);
  }
}

TEST_CASE("three labels: no swap improves, and most results are the best of all labellings") {
  AlphaBetaSwap swaps;
  int global = 0, all_labels = 0;
  const int runs = 25;
  for (int seed = 0; seed < runs; ++seed) {
    CAPTURE(seed);
    const GridEnergy energy = random_energy(3, 3, 100, seed % 2 == 0 ? 8 : 30, Key(1000 + seed));
    const Labelling found = swaps.minimise(energy);
    const std::int64_t reached = energy_of(energy, found);
    CHECK(reached <= best_swap(energy, found, 0, 1));
    CHECK(reached <= best_swap(energy, found, 0, 2));
    CHECK(reached <= best_swap(energy, found, 1, 2));
    std::int64_t best = std::numeric_limits<std::int64_t>::max();
    for_all_labellings(9, 3, [&](const Labelling& l) { best = std::min(best, energy_of(energy, l)); });
    CHECK(reached >= best);
    global += reached == best;
    all_labels += std::count(found.begin(), found.end(), 0) > 0 &&
                  std::count(found.begin(), found.end(), 1) > 0 &&
                  std::count(found.begin(), found.end(), 2) > 0;
  }
  CHECK(global > runs / 2);
  CHECK(all_labels > runs / 4);
}

TEST_CASE("without edges each node takes its cheapest label; strong edges make all equal") {
  GridEnergy energy = random_energy(5, 4, 1000, 1, Key(3));
  std::fill(energy.right.begin(), energy.right.end(), 0);
  std::fill(energy.down.begin(), energy.down.end(), 0);
  AlphaBetaSwap swaps;
  const Labelling free = swaps.minimise(energy);
  for (std::size_t i = 0; i < free.size(); ++i) {
    const auto costs = energy.unary.begin() + static_cast<std::ptrdiff_t>(4 * i);
    CHECK(costs[free[i]] == *std::min_element(costs, costs + 4));
  }
  std::fill(energy.right.begin(), energy.right.end(), 1000000);
  std::fill(energy.down.begin(), energy.down.end(), 1000000);
  const Labelling stiff = swaps.minimise(energy);
  CHECK(std::count(stiff.begin(), stiff.end(), stiff[0]) == 25);
}

TEST_CASE("wrong sizes and negative weights are named") {
  AlphaBetaSwap swaps;
  GridEnergy energy = random_energy(3, 3, 10, 5, Key(1));
  energy.right[2] = -1;
  CHECK_THROWS_AS(swaps.minimise(energy), ShapeError);
  energy = random_energy(3, 3, 10, 5, Key(1));
  energy.down.pop_back();
  CHECK_THROWS_AS(swaps.minimise(energy), ShapeError);
  energy = random_energy(3, 3, 10, 5, Key(1));
  energy.labels = 1;
  CHECK_THROWS_AS(swaps.minimise(energy), ShapeError);
}

// Minimum cuts against the best of all partitions.
#include "augment/mixing/puzzlemix/max_flow.h"

#include <algorithm>
#include <limits>

#include "tests/check_op.h"

using namespace noisymix;

namespace {

/// A random problem, and what each partition costs.
struct Problem {
  std::int64_t height, width;
  std::vector<std::int64_t> sink_side, source_side, right, down;

  Problem(std::int64_t height_, std::int64_t width_, std::int64_t largest, Key key)
      : height(height_), width(width_) {
    Draws draws(key);
    for (std::int64_t i = 0; i < height * width; ++i) {
      sink_side.push_back(draws.below(largest));
      source_side.push_back(draws.below(largest));
      right.push_back(i % width + 1 < width ? draws.below(largest) : 0);
      down.push_back(i + width < height * width ? draws.below(largest) : 0);
    }
  }
  void load(GridCut& cut) const {
    cut.reset(height, width);
    for (std::int64_t i = 0; i < height * width; ++i) {
      const auto at = static_cast<std::size_t>(i);
      cut.add_costs(i, sink_side[at], source_side[at]);
      if (i % width + 1 < width) cut.add_edge_right(i, right[at]);
      if (i + width < height * width) cut.add_edge_down(i, down[at]);
    }
  }
  template <typename OnSourceSide>
  std::int64_t cost(const OnSourceSide& on_source_side) const {
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < height * width; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const bool own = on_source_side(i);
      sum += own ? source_side[at] : sink_side[at];
      if (i % width + 1 < width && own != on_source_side(i + 1)) sum += right[at];
      if (i + width < height * width && own != on_source_side(i + width)) sum += down[at];
    }
    return sum;
  }
  std::int64_t cheapest() const {
    std::int64_t best = std::numeric_limits<std::int64_t>::max();
    for (std::int64_t mask = 0; mask < std::int64_t{1} << (height * width); ++mask)
      best = std::min(best, cost([&](std::int64_t i) { return (mask >> i & 1) != 0; }));
    return best;
  }
};

}  // namespace

TEST_CASE("the flow is the cost of the cheapest of all partitions, and of the one found") {
  GridCut cut;
  for (int seed = 0; seed < 400; ++seed) {
    CAPTURE(seed);
    // Small numbers make many equal costs, large ones few.
    const Problem problem(2 + seed % 2, 3 + seed / 2 % 2, seed % 3 == 0 ? 4 : 1000, Key(seed));
    problem.load(cut);
    const std::int64_t flow = cut.solve();
    CHECK(flow == problem.cheapest());
    CHECK(flow == problem.cost([&](std::int64_t i) { return cut.on_source_side(i); }));
  }
}

TEST_CASE("larger grids: no single node and no row is better elsewhere, and flow equals cut") {
  GridCut cut;
  for (int seed = 0; seed < 20; ++seed) {
    const Problem problem(16, 16, 1000, Key(100 + seed));
    problem.load(cut);
    const std::int64_t flow = cut.solve();
    // A flow as large as some cut is a proof that both are optimal.
    CHECK(flow == problem.cost([&](std::int64_t i) { return cut.on_source_side(i); }));
    for (std::int64_t node = 0; node < 256; ++node)
      REQUIRE(flow <= problem.cost([&](std::int64_t i) { return cut.on_source_side(i) != (i == node); }));
  }
}

TEST_CASE("costs add up, cancel and may be negative") {
  GridCut cut;
  cut.reset(1, 2);
  cut.add_costs(0, 10, 2);
  cut.add_costs(0, 0, 11);  // now 10 against 13
  cut.add_costs(1, -5, 4);
  cut.add_edge_right(0, 3);
  cut.add_edge_right(0, 1);
  CHECK(cut.solve() == 5);  // both on the sink's side: 10 - 5
  CHECK_FALSE(cut.on_source_side(0));
  CHECK_FALSE(cut.on_source_side(1));
}

TEST_CASE("of equal cuts the one with the smaller source's side") {
  GridCut cut;
  cut.reset(2, 2);
  CHECK(cut.solve() == 0);
  for (std::int64_t i = 0; i < 4; ++i) CHECK_FALSE(cut.on_source_side(i));
  CHECK_THROWS_AS(cut.reset(0, 3), ShapeError);
}

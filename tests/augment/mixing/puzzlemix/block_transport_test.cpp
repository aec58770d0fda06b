// Plans of moved cells against the rounds written out with whole matrices in f64.
#include "augment/mixing/puzzlemix/block_transport.h"

#include <algorithm>
#include <set>

#include "tests/check_op.h"

using namespace noisymix;

namespace {

struct Case {
  std::vector<float> saliency, visible;
};

Case random_case(std::int64_t side, double share, Key key) {
  Case result;
  Draws draws(key);
  double sum = 0;
  for (std::int64_t i = 0; i < side * side; ++i) {
    result.saliency.push_back(static_cast<float>(draws.uniform()));
    result.visible.push_back(draws.uniform() < share ? 1.0f : 0.0f);
    sum += static_cast<double>(result.saliency.back());
  }
  for (float& value : result.saliency) value = static_cast<float>(static_cast<double>(value) / sum);
  return result;
}

std::vector<std::int64_t> expected_plan(const Case& c, std::size_t side, double t_eps) {
  const std::size_t cells = side * side;
  std::vector<std::vector<double>> cost(cells, std::vector<double>(cells));
  for (std::size_t i = 0; i < cells; ++i)
    for (std::size_t j = 0; j < cells; ++j) {
      const double dy = static_cast<double>(i / side) - static_cast<double>(j / side);
      const double dx = static_cast<double>(i % side) - static_cast<double>(j % side);
      cost[i][j] = t_eps * (dy * dy + dx * dx) / static_cast<double>((side - 1) * (side - 1)) -
                   static_cast<double>(c.saliency[i] * c.visible[j]);
    }
  std::vector<std::int64_t> keeper(cells);
  for (std::size_t round = 0; round < side; ++round) {
    std::vector<std::size_t> choice;
    for (const auto& row : cost)
      choice.push_back(static_cast<std::size_t>(std::min_element(row.begin(), row.end()) - row.begin()));
    for (std::size_t j = 0; j < cells; ++j) {
      keeper[j] = -1;
      for (std::size_t i = 0; i < cells; ++i)
        if (choice[i] == j && (keeper[j] < 0 || cost[i][j] < cost[static_cast<std::size_t>(keeper[j])][j]))
          keeper[j] = static_cast<std::int64_t>(i);
    }
    for (std::size_t i = 0; i < cells; ++i)
      if (keeper[choice[i]] != static_cast<std::int64_t>(i)) cost[i][choice[i]] += 1;
  }
  return keeper;
}

}  // namespace

TEST_CASE("plans are those of the rounds written out") {
  int moved = 0, empty = 0;
  for (const std::int64_t side : {2, 3, 5, 8})
    for (const double t_eps : {0.05, 0.8})
      for (int seed = 0; seed < 6; ++seed) {
        CAPTURE(side);
        CAPTURE(t_eps);
        CAPTURE(seed);
        const Case c = random_case(side, 0.15 + 0.15 * seed, Key(side).child(seed));
        const auto plan = BlockTransport(side, t_eps).plan(c.saliency.data(), c.visible.data());
        REQUIRE(plan == expected_plan(c, static_cast<std::size_t>(side), t_eps));
        for (std::size_t j = 0; j < plan.size(); ++j) {
          moved += plan[j] >= 0 && plan[j] != static_cast<std::int64_t>(j);
          empty += plan[j] < 0;
        }
      }
  CHECK(moved > 50);  // else the cases would show nothing
  CHECK(empty > 50);
}

TEST_CASE("no cell goes to two targets, and nothing moves where everything is visible") {
  const Case c = random_case(16, 0.4, Key(9));
  const auto plan = BlockTransport(16, 0.8).plan(c.saliency.data(), c.visible.data());
  std::set<std::int64_t> sources;
  for (const std::int64_t source : plan)
    if (source >= 0) CHECK(sources.insert(source).second);

  const std::vector<float> all(256, 1.0f), none(256, 0.0f);
  for (const auto& visible : {all, none}) {
    const auto identity = BlockTransport(16, 0.8).plan(c.saliency.data(), visible.data());
    for (std::size_t j = 0; j < 256; ++j) CHECK(identity[j] == static_cast<std::int64_t>(j));
  }
}

TEST_CASE("the most salient of two claimants is kept") {
  // 2 x 2 cells, only target 0 visible; cell 1 is salient enough to pay for the way, and more so than cell 0.
  const std::vector<float> saliency = {0.1f, 0.9f, 0, 0}, visible = {1, 0, 0, 0};
  const auto plan = BlockTransport(2, 0.5).plan(saliency.data(), visible.data());
  // Cell 0, driven away, takes the place that cell 1 has left.
  CHECK(plan == std::vector<std::int64_t>{1, 0, 2, 3});
  CHECK_THROWS_AS(BlockTransport(1, 0.5), ShapeError);
  CHECK_THROWS_AS(BlockTransport(65, 0.5), ShapeError);
  CHECK_THROWS_AS(BlockTransport(4, -0.5), ConfigError);
}

#include "data/toy.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "engine/error.h"
#include "engine/key.h"

namespace noisymix {
namespace {

constexpr std::int64_t kDefaultCount = 500;
constexpr double kInnerRadius = 0.05, kCircleNoise = 0.3, kCircleTrainShare = 0.6;
constexpr double kPolygonScale = 0.5, kPolygonNoise = 0.2, kPolygonBand = 0.1, kPolygonTrainShare = 0.5;

class Points : public Dataset {
 public:
  Points(std::vector<Example> examples, std::vector<std::string> names, std::string description)
      : examples_(std::move(examples)), names_(std::move(names)), description_(std::move(description)) {}
  std::int64_t size() const override { return static_cast<std::int64_t>(examples_.size()); }
  Example get(std::int64_t index) const override {
    NM_CHECK(index >= 0 && index < size(), "[dataset] example ", index, " of ", size(), " does not exist");
    return examples_[static_cast<std::size_t>(index)];
  }
  std::vector<std::string> class_names() const override { return names_; }
  std::vector<std::int64_t> sample_shape() const override { return {2}; }
  std::string description() const override { return description_; }

 private:
  std::vector<Example> examples_;
  std::vector<std::string> names_;
  std::string description_;
};

Example point(double x, double y, std::int64_t label) {
  return {.image = {}, .features = {static_cast<float>(x), static_cast<float>(y)}, .label = label};
}

/// The split of one shuffled set: its first `share` trains.
std::vector<Example> take_split(std::vector<Example> all, bool train, double share) {
  const auto border = all.begin() + std::llround(share * static_cast<double>(all.size()));
  return train ? std::vector<Example>(all.begin(), border) : std::vector<Example>(border, all.end());
}

std::int64_t count_or_default(std::int64_t count) {
  NM_CHECK_AS(ConfigError, count >= 0 && count <= 100'000'000, "toy data: count is ", count,
              ", expected 0 to 1e8");
  return count == 0 ? kDefaultCount : count;
}

std::string describe(const char* what, std::uint64_t seed, bool train) {
  return std::string(what) + (train ? ", train part" : ", test part") + ", seed " + std::to_string(seed);
}

}  // namespace

std::shared_ptr<const Dataset> make_circles(std::uint64_t seed, bool train, std::int64_t count) {
  const std::int64_t n = count_or_default(count), outer = n / 2, inner = n - outer;
  const Key key = Key(seed).child("circles");
  Draws noise(key.child("noise"));
  std::vector<Example> all;
  for (const std::int64_t place : permutation(key.child("order"), n)) {
    const bool is_inner = place >= outer;
    const double step = is_inner ? static_cast<double>(place - outer) / static_cast<double>(inner)
                                 : static_cast<double>(place) / static_cast<double>(outer);
    const double angle = 2 * std::numbers::pi * step, radius = is_inner ? kInnerRadius : 1.0;
    const double dx = noise.normal(), dy = noise.normal();
    all.push_back(point(radius * std::cos(angle) + kCircleNoise * dx,
                        radius * std::sin(angle) + kCircleNoise * dy, is_inner ? 1 : 0));
  }
  return std::make_shared<Points>(take_split(std::move(all), train, kCircleTrainShare),
                                  std::vector<std::string>{"outer", "inner"},
                                  describe("concentric circles", seed, train));
}

const std::vector<std::array<double, 2>>& polygon_corners() {
  static const std::vector<std::array<double, 2>> corners = {
      {-1.19, .07}, {-.66, -.05}, {-.10, -.40}, {.34, .33},  {.70, .68},   {1.16, .56},
      {1.10, .27},  {.70, -.08},  {.70, -.73},  {.34, -.99}, {-.48, -.94}, {-.95, -.73}};
  return corners;
}

double polygon_distance(double x, double y) {
  const auto& corners = polygon_corners();
  double nearest = std::numeric_limits<double>::infinity();
  bool inside = false;
  for (std::size_t i = 0; i < corners.size(); ++i) {
    const auto [ax, ay] = corners[i];
    const auto [bx, by] = corners[(i + 1) % corners.size()];
    const double ex = bx - ax, ey = by - ay;
    const double t = std::clamp(((x - ax) * ex + (y - ay) * ey) / (ex * ex + ey * ey), 0.0, 1.0);
    nearest = std::min(nearest, std::hypot(x - ax - t * ex, y - ay - t * ey));
    // Even-odd rule: an edge that crosses the point's height to its right toggles.
    if ((ay > y) != (by > y) && x < ax + (y - ay) / (by - ay) * ex) inside = !inside;
  }
  return inside ? nearest : -nearest;
}

std::shared_ptr<const Dataset> make_polygon(std::uint64_t seed, bool train, std::int64_t count) {
  const std::int64_t n = count_or_default(count);
  Draws draws(Key(seed).child("polygon"));
  std::vector<Example> all;
  for (std::int64_t i = 0; i < n; ++i) {
    const double cx = draws.normal(), cy = draws.normal(), coin = draws.uniform();
    const double dx = draws.normal(), dy = draws.normal();
    const double distance = polygon_distance(cx, cy);
    const bool inside = std::abs(distance) > kPolygonBand ? distance > 0 : coin < 0.5;
    constexpr double stretch =
        kPolygonScale / 0.5;  // the published scale factor, relative to the corners' units
    all.push_back(
        point(stretch * cx + kPolygonNoise * dx, stretch * cy + kPolygonNoise * dy, inside ? 1 : 0));
  }
  return std::make_shared<Points>(take_split(std::move(all), train, kPolygonTrainShare),
                                  std::vector<std::string>{"outside", "inside"},
                                  describe("concave polygon band", seed, train));
}

}  // namespace noisymix

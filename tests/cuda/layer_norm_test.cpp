#include "engine/ops/layer_norm.h"

#include <doctest/doctest.h>

#include "tests/check_device.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

std::vector<Tensor> inputs(const Shape& x, const Shape& parameters) {
  return {random_normal(x, Key(1), 0.5, 2), random_uniform(parameters, Key(2), 0.5, 1.5),
          random_normal(parameters, Key(3))};
}

}  // namespace

TEST_CASE("cuda layer_norm: over the last axes") {
  if (!gpu()) return;
  const std::pair<Shape, Shape> shapes[] = {
      {{3, 5}, {5}},    {{4, 64}, {64}}, {{2, 3, 7}, {3, 7}}, {{6, 1}, {1}},           {{2, 5000}, {5000}},
      {{3000, 8}, {8}}, {{0, 5}, {5}},   {{20}, {20}},        {{1, 30'001}, {30'001}}, {{100, 48}, {48}}};
  for (const auto& [x, parameters] : shapes)
    check_devices_agree(
        "layer_norm", [](const std::vector<Tensor>& in) { return layer_norm(in[0], in[1], in[2], 1e-3); },
        inputs(x, parameters));
}

TEST_CASE("cuda group_norm: groups of channels") {
  if (!gpu()) return;
  const struct {
    Shape x;
    std::int64_t groups;
  } cases[] = {{{2, 3, 5, 6}, 1},   {{2, 3, 5, 6}, 2}, {{2, 3, 5, 6}, 6},   {{3, 4, 4, 16}, 4},
               {{3, 4, 4, 16}, 16}, {{5, 12}, 3},      {{1, 70, 70, 8}, 2}, {{1, 70, 70, 8}, 8},
               {{2, 50, 60, 4}, 1}, {{4, 1}, 1}};
  for (const auto& [x, groups] : cases)
    check_devices_agree(
        "group_norm",
        [groups = groups](const std::vector<Tensor>& in) {
          return group_norm(in[0], in[1], in[2], groups, 1e-3);
        },
        inputs(x, {x[-1]}));
}

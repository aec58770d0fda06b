#include "engine/ops/layer_norm.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "tests/ops_golden.h"

namespace noisymix {
namespace {

using testing::check_gradients;
using testing::check_same_bits_for_any_threads;
using testing::check_ops_case;
using testing::GoldenLayout;
using testing::ops_cases;
using testing::relative_error;
using testing::same_bits;
using testing::values;
using Inputs = std::vector<Tensor>;

TEST_CASE("layer_norm: exact values") {
  const Tensor x = Tensor::from<double>({1, 3, 10, 30}, {2, 2});
  const Tensor y = layer_norm(x, Tensor::from<double>({2, 1}, {2}), Tensor::from<double>({5, 0}, {2}), 0);
  CHECK(y.to_vector<double>() == std::vector<double>{3, 1, 3, 1});
  const Tensor g = group_norm(Tensor::from<double>({1, 3, 10, 30}, {1, 4}), Tensor::ones({4}, Dtype::f64),
                              Tensor::zeros({4}, Dtype::f64), 2, 0);
  CHECK(g.to_vector<double>() == std::vector<double>{-1, 1, -1, 1});
}

TEST_CASE("layer_norm: agrees with its composition") {
  const Tensor x = random_normal({3, 4, 5}, Key(1), 2, 3, Dtype::f64);
  const Tensor w = random_normal({5}, Key(2), 1, 0.3, Dtype::f64),
               b = random_normal({5}, Key(3), 0, 1, Dtype::f64);
  const Tensor gap = x - mean(x, {2}, true);
  const Tensor expected = gap * rsqrt(mean(square(gap), {2}, true) + 1e-5) * w + b;
  CHECK(relative_error(layer_norm(x, w, b), expected) < 1e-13);
  const Tensor wide = w.reshape({1, 5});
  CHECK(layer_norm(x.reshape({12, 1, 5}), wide, b.reshape({1, 5})).shape() == Shape{12, 1, 5});
}

TEST_CASE("layer_norm: group_norm agrees with its composition") {
  const Tensor x = random_normal({2, 3, 4, 6}, Key(4), 1, 2, Dtype::f64);
  const Tensor w = random_normal({6}, Key(5), 1, 0.3, Dtype::f64),
               b = random_normal({6}, Key(6), 0, 1, Dtype::f64);
  for (const std::int64_t groups : {1, 2, 3, 6}) {
    const Tensor grouped = x.reshape({2, 12, groups, 6 / groups});
    const Tensor gap = grouped - mean(grouped, {1, 3}, true);
    const Tensor normal = gap * rsqrt(mean(square(gap), {1, 3}, true) + 1e-5);
    CHECK(relative_error(group_norm(x, w, b, groups), normal.reshape({2, 3, 4, 6}) * w + b) < 1e-13);
  }
}

TEST_CASE("layer_norm: gradients") {
  check_gradients([](const Inputs& in) { return layer_norm(in[0], in[1], in[2]); },
                  {random_normal({3, 2, 7}, Key(7)), random_normal({7}, Key(8)), random_normal({7}, Key(9))});
  check_gradients(
      [](const Inputs& in) { return layer_norm(in[0], in[1], in[2]); },
      {random_normal({3, 2, 4}, Key(7)), random_normal({2, 4}, Key(8)), random_normal({2, 4}, Key(9))});
  for (const std::int64_t groups : {1, 2, 6})
    check_gradients(
        [&](const Inputs& in) { return group_norm(in[0], in[1], in[2], groups); },
        {random_normal({2, 2, 3, 6}, Key(7)), random_normal({6}, Key(8)), random_normal({6}, Key(9))});
}

TEST_CASE("layer_norm: a large offset costs no digits") {
  const Tensor x = random_normal({4, 64}, Key(10)), shifted = x.to(Dtype::f64) + 1e4;
  const Tensor w = Tensor::ones({64}), b = Tensor::zeros({64});
  const Tensor got = layer_norm(shifted.to(Dtype::f32), w, b);
  const Tensor exact = layer_norm(shifted.to(Dtype::f32).to(Dtype::f64), w.to(Dtype::f64), b.to(Dtype::f64));
  CHECK(relative_error(got, exact) < 1e-6);
}

TEST_CASE("layer_norm: bf16 computes in float or wider and rounds once") {
  const Tensor x = random_normal({3, 20}, Key(11)).to(Dtype::bf16);
  const Tensor w = random_normal({20}, Key(12)).to(Dtype::bf16),
               b = random_normal({20}, Key(13)).to(Dtype::bf16);
  const Tensor wide = layer_norm(x.to(Dtype::f32), w.to(Dtype::f32), b.to(Dtype::f32));
  CHECK(same_bits(layer_norm(x, w, b), wide.to(Dtype::bf16)));
}

TEST_CASE("layer_norm: same bits for any number of threads") {
  const Tensor x = random_normal({603, 5, 24}, Key(14));
  const auto run = [&](bool grouped) {
    Inputs leaves = {x.clone(), random_normal({24}, Key(15)), random_normal({24}, Key(16))};
    for (Tensor& leaf : leaves) leaf.set_requires_grad();
    const Tensor y = grouped ? group_norm(leaves[0], leaves[1], leaves[2], 4)
                             : layer_norm(leaves[0], leaves[1], leaves[2]);
    backward(y, x);
    return Inputs{y.detach(), leaves[0].grad(), leaves[1].grad(), leaves[2].grad()};
  };
  for (const bool grouped : {false, true}) check_same_bits_for_any_threads([&] { return run(grouped); });
}

TEST_CASE("layer_norm: empty batches have zero parameter gradients") {
  Inputs leaves = {Tensor::empty({0, 3}), Tensor::ones({3}), Tensor::zeros({3})};
  for (Tensor& leaf : leaves) leaf.set_requires_grad();
  const Tensor y = layer_norm(leaves[0], leaves[1], leaves[2]);
  CHECK(y.shape() == Shape{0, 3});
  backward(y, Tensor::empty({0, 3}));
  CHECK(leaves[1].grad().to_vector<float>() == std::vector<float>{0, 0, 0});
}

TEST_CASE("layer_norm: errors") {
  const Tensor x = Tensor::ones({2, 6});
  CHECK_THROWS_WITH_AS(layer_norm(x, Tensor::ones({5}), Tensor::ones({5})),
                       "[layer_norm] expects weight and bias of shape [6] for x [2, 6], got [5] and [5]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(layer_norm(x, Tensor::ones({1, 2, 6}), Tensor::ones({6})),
                       "[layer_norm] expects a weight of 1 to 2 axes for x [2, 6], got shape [1, 2, 6]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(layer_norm(x, Tensor::ones({6}, Dtype::f64), Tensor::ones({6})),
                       "[layer_norm] expects tensors of one dtype, got f32 and f64", ShapeError);
  CHECK_THROWS_WITH_AS(group_norm(x, Tensor::ones({6}), Tensor::ones({6}), 4),
                       "[group_norm] cannot divide 6 channels into 4 groups", ShapeError);
  CHECK_THROWS_WITH_AS(group_norm(Tensor::ones({6}), Tensor::ones({6}), Tensor::ones({6}), 2),
                       "[group_norm] expects x [n, ..., c], got shape [6]", ShapeError);
}

TEST_CASE("layer_norm: reference values") {
  for (const auto& item : ops_cases("layer_norm"))
    check_ops_case(item, {"x", "weight", "bias"},
                   [&](const Inputs& in) { return layer_norm(in[0], in[1], in[2], item.attrs["eps"]); });
  for (const auto& item : ops_cases("group_norm"))
    check_ops_case(
        item, {"x", "weight", "bias"},
        [&](const Inputs& in) {
          return group_norm(in[0], in[1], in[2], item.attrs["groups"], item.attrs["eps"]);
        },
        GoldenLayout::channels_last);
}

}  // namespace
}  // namespace noisymix

#include "engine/ops/concat.h"

#include "tests/ops_golden.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("concat joins along each axis") {
  const Tensor a = Tensor::from<float>({1, 2, 3, 4}, {2, 2}), b = Tensor::from<float>({5, 6}, {1, 2});
  CHECK(values(concat({a, b})) == std::vector<double>{1, 2, 3, 4, 5, 6});
  const Tensor wide = concat({a, b.reshape({2, 1})}, -1);
  CHECK(wide.shape() == Shape{2, 3});
  CHECK(values(wide) == std::vector<double>{1, 2, 5, 3, 4, 6});
  CHECK(same_bits(concat({a}, 1), a));
}

TEST_CASE("concat accepts empty parts and integers") {
  const Tensor none = Tensor::empty({0, 2}, Dtype::i64), two = Tensor::from<std::int64_t>({7, 8}, {1, 2});
  CHECK(concat({none, two, none}).to_vector<std::int64_t>() == std::vector<std::int64_t>{7, 8});
  CHECK(concat({none, none}).shape() == Shape{0, 2});
}

TEST_CASE("stack adds an axis anywhere") {
  const Tensor a = Tensor::from<float>({1, 2}, {2}), b = Tensor::from<float>({3, 4}, {2});
  CHECK(values(stack({a, b})) == std::vector<double>{1, 2, 3, 4});
  CHECK(values(stack({a, b}, -1)) == std::vector<double>{1, 3, 2, 4});
  CHECK(stack({Tensor::scalar(1), Tensor::scalar(2)}).shape() == Shape{2});
}

TEST_CASE("split undoes concat") {
  const Tensor x = random_normal({4, 5, 3}, Key(1));
  for (const int axis : {0, 1, 2}) {
    const std::int64_t first = x.dim(axis) - 1;
    const auto parts = split(x, {first, 0, 1}, axis);
    REQUIRE(parts.size() == 3);
    CHECK(parts[0].dim(axis) == first);
    CHECK(parts[1].numel() == 0);
    CHECK(same_bits(concat(parts, axis), x));
  }
  CHECK(split(x, {2, 2})[1].raw() == x.raw() + x.bytes() / 2);  // leading parts share the elements
}

TEST_CASE("concat and stack match the reference") {
  for (const OpsCase& item : ops_cases("concat"))
    check_ops_case(item, {"a", "b", "c"}, [&](const auto& in) { return concat(in, item.attrs.at("axis")); });
  for (const OpsCase& item : ops_cases("stack"))
    check_ops_case(item, {"a", "b"}, [&](const auto& in) { return stack(in, item.attrs.at("axis")); });
}

TEST_CASE("split matches the reference") {
  for (const OpsCase& item : ops_cases("split")) {
    Tensor x = item.at("x").clone();
    x.set_requires_grad();
    const auto parts = split(x, item.attrs.at("sizes"), item.attrs.at("axis"));
    for (std::size_t k = 0; k < parts.size(); ++k) {
      CHECK(relative_error(parts[k], item.at("y" + std::to_string(k))) <= item.limit);
      backward(parts[k], item.at("g_y" + std::to_string(k)));
    }
    CHECK(relative_error(x.grad(), item.at("grad_x")) <= item.limit);
  }
}

TEST_CASE("gradients of concat, stack and split") {
  const Tensor a = random_normal({2, 3}, Key(1)), b = random_normal({2, 1}, Key(2)),
               c = random_normal({2, 3}, Key(3));
  check_gradients([](const auto& in) { return concat(in, 1); }, {a, b, c});
  check_gradients([](const auto& in) { return stack(in, 1); }, {a, c});
  check_gradients(
      [](const auto& in) {
        const auto parts = split(in[0], {1, 2}, 1);
        return concat({mul(parts[1], 3.0), parts[0]}, 1);
      },
      {a});
  check_gradients([](const auto& in) { return mul(split(in[0], {1, 1}, 0)[1], 2.0); }, {a});
}

TEST_CASE("concat gives gradients to those parts that want one") {
  Tensor a = Tensor::ones({2}), b = Tensor::ones({2});
  b.set_requires_grad();
  backward(sum(concat({a, b})));
  CHECK_FALSE(a.grad().defined());
  CHECK(values(b.grad()) == std::vector<double>{1, 1});
}

TEST_CASE("the same tensor may be joined twice") {
  Tensor a = Tensor::ones({2});
  a.set_requires_grad();
  backward(sum(concat({a, a, a})));
  CHECK(values(a.grad()) == std::vector<double>{3, 3});
}

TEST_CASE("concat, stack and split name what is wrong") {
  const Tensor a = Tensor::zeros({2, 3}), b = Tensor::zeros({2, 2});
  CHECK_THROWS_WITH_AS(concat({}), "[concat] expects at least one tensor", ShapeError);
  CHECK_THROWS_WITH_AS(concat({a, b}, 0),
                       "[concat] part 1 has shape [2, 2], part 0 [2, 3]: sizes may differ along axis 0 only",
                       ShapeError);
  CHECK_THROWS_WITH_AS(concat({a, Tensor::zeros({3})}, 0),
                       "[concat] part 1 has shape [3], part 0 [2, 3]: ranks must agree", ShapeError);
  CHECK_THROWS_WITH_AS(concat({a, a.to(Dtype::f64)}),
                       "[concat] expects tensors of one dtype, got f32 and f64", ShapeError);
  CHECK_THROWS_WITH_AS(concat({a}, 2), "[concat] axis 2 is outside the 2 axes of the tensor", ShapeError);
  CHECK_THROWS_WITH_AS(stack({}), "[stack] expects at least one tensor", ShapeError);
  CHECK_THROWS_WITH_AS(stack({a, b}), "[stack] expects equal shapes, got [2, 3] and [2, 2]", ShapeError);
  CHECK_THROWS_WITH_AS(split(a, {1, 1}, 1), "[split] sizes add up to 2, expected 3 along axis 1 of [2, 3]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(split(a, {4, -1}, 1), "[split] size 4 is outside axis 1 of [2, 3]", ShapeError);
}

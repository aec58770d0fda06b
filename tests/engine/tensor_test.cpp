#include "engine/tensor.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/check_op.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("fresh tensors have the asked-for shape, dtype and values") {
  CHECK(values(Tensor::zeros({2, 2})) == std::vector<double>{0, 0, 0, 0});
  CHECK(values(Tensor::full({2}, 3, Dtype::u8)) == std::vector<double>{3, 3});
  CHECK(Tensor::ones({2}, Dtype::bf16).dtype() == Dtype::bf16);
  CHECK(Tensor::scalar(2.5).item() == 2.5);
  CHECK(Tensor::scalar(2.5).shape() == Shape{});
  CHECK(Tensor::empty({0, 3}).numel() == 0);
  CHECK(Tensor::from<std::int64_t>({1, 2}, {2}).to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 2});
  CHECK(Tensor::ones({3}, Dtype::f64).bytes() == 24);
}

TEST_CASE("an undefined tensor says so instead of crashing") {
  const Tensor x;
  CHECK_FALSE(x.defined());
  CHECK_FALSE(x.requires_grad());
  CHECK_FALSE(x.tracks_grad());
  CHECK_FALSE(x.grad().defined());
  CHECK_FALSE(x.detach().defined());
  CHECK(x.str() == "Tensor(undefined)");
  CHECK_THROWS_WITH_AS(x.shape(), "[tensor] shape of an undefined tensor", ShapeError);
  CHECK_THROWS_WITH_AS(x.dtype(), "[tensor] dtype of an undefined tensor", ShapeError);
  CHECK_THROWS_WITH_AS(x.device(), "[tensor] device of an undefined tensor", ShapeError);
  CHECK_THROWS_WITH_AS(x.raw(), "[tensor] elements of an undefined tensor", ShapeError);
  CHECK_THROWS_AS(x.reshape({1}), ShapeError);
  CHECK_THROWS_AS(x.rows(0, 0), ShapeError);
  CHECK_THROWS_AS(x.clone(), ShapeError);
  CHECK_THROWS_AS(x.to(Dtype::f64), ShapeError);
  Tensor y;
  CHECK_THROWS_WITH_AS(y.set_grad(Tensor::ones({1})), "[set_grad] on an undefined tensor", ShapeError);
  CHECK_THROWS_AS(y.set_requires_grad(), ShapeError);
}

TEST_CASE("handles share, detach shares elements only, clone shares nothing") {
  Tensor x = Tensor::ones({2}), handle = x;
  x.set_requires_grad();
  CHECK(handle.requires_grad());
  const Tensor detached = x.detach(), copy = x.clone();
  x.mutable_data<float>()[0] = 5;
  CHECK(values(handle)[0] == 5);
  CHECK(values(detached)[0] == 5);
  CHECK(values(copy)[0] == 1);
  CHECK_FALSE(detached.requires_grad());
  CHECK_FALSE(copy.requires_grad());
}

TEST_CASE("sole_owner sees every other handle and view") {
  Tensor x = Tensor::ones({4});
  CHECK(x.sole_owner());
  {
    const Tensor handle = x;
    CHECK_FALSE(x.sole_owner());
  }
  const Tensor part = x.rows(0, 2);
  CHECK_FALSE(x.sole_owner());
  CHECK_FALSE(part.sole_owner());
}

TEST_CASE("reshape shares the elements and fills in one size") {
  const Tensor x = Tensor::from<float>({0, 1, 2, 3, 4, 5}, {2, 3});
  CHECK(x.reshape({3, 2}).raw() == x.raw());
  CHECK(x.reshape({-1}).shape() == Shape{6});
  CHECK(x.reshape({2, -1, 1}).shape() == Shape{2, 3, 1});
  CHECK(x.reshape(Shape{6}).shape() == Shape{6});
  CHECK(x.rows(0, 0).reshape({-1, 7}).shape() == Shape{0, 7});
  CHECK(Tensor::scalar(1).reshape({}).shape() == Shape{});
  CHECK_THROWS_WITH_AS(x.reshape({4}), "[reshape] cannot turn [2, 3] (6 elements) into [4]", ShapeError);
  CHECK_THROWS_WITH_AS(x.reshape({-1, -1}), "[reshape] only one size may be -1", ShapeError);
  CHECK_THROWS_WITH_AS(x.reshape({-1, 4}), "[reshape] cannot turn [2, 3] (6 elements) into [1, 4]",
                       ShapeError);
  CHECK_THROWS_AS(x.reshape({-2, 3}), ShapeError);
  const std::int64_t big = std::int64_t{1} << 62;
  CHECK_THROWS_AS(x.reshape({big, big, -1}), ShapeError);
}

TEST_CASE("rows are a window on the first axis") {
  const Tensor x = Tensor::from<float>({0, 1, 2, 3, 4, 5}, {3, 2});
  CHECK(values(x.rows(1, 3)) == std::vector<double>{2, 3, 4, 5});
  CHECK(values(x.rows(1, 3).rows(1, 2)) == std::vector<double>{4, 5});
  CHECK(x.rows(3, 3).shape() == Shape{0, 2});
  CHECK_THROWS_WITH_AS(x.rows(2, 4), "[rows] range 2..4 is outside shape [3, 2]", ShapeError);
  CHECK_THROWS_AS(x.rows(2, 1), ShapeError);
  CHECK_THROWS_AS(x.rows(-1, 1), ShapeError);
  CHECK_THROWS_WITH_AS(Tensor::scalar(1).rows(0, 1), "[rows] expects at least one axis", ShapeError);
}

TEST_CASE("views of a window keep its offset") {
  const Tensor x = Tensor::from<double>({0, 1, 2, 3, 4, 5}, {3, 2}), window = x.rows(1, 3);
  CHECK(values(window.clone()) == std::vector<double>{2, 3, 4, 5});
  CHECK(values(window.reshape({4})) == std::vector<double>{2, 3, 4, 5});
  CHECK(values(window.detach().to(Dtype::f32)) == std::vector<double>{2, 3, 4, 5});
}

TEST_CASE("conversion between all dtypes keeps small integers") {
  const Dtype all[] = {Dtype::f32, Dtype::bf16, Dtype::f64, Dtype::i64, Dtype::i32, Dtype::u8};
  for (const Dtype from : all)
    for (const Dtype to : all) {
      const Tensor x = Tensor::from<double>({0, 1, 100}, {3}).to(from).to(to);
      CHECK(x.dtype() == to);
      CHECK(values(x) == std::vector<double>{0, 1, 100});
    }
  const Tensor x = Tensor::ones({1});
  CHECK(x.to(Dtype::f32).raw() == x.raw());
}

TEST_CASE("bfloat16 rounds to nearest even and keeps NaN and infinity") {
  const auto rounded = [](float value) { return static_cast<float>(bfloat16(value)); };
  CHECK(rounded(1.0F) == 1.0F);
  CHECK(rounded(1.00390625F) == 1.0F);       // half way, the even neighbour is below
  CHECK(rounded(1.01171875F) == 1.015625F);  // half way, the even neighbour is above
  CHECK(rounded(1.0040F) == 1.0078125F);
  CHECK(rounded(3.4e38F) == INFINITY);
  CHECK(rounded(-INFINITY) == -INFINITY);
  CHECK(std::isnan(rounded(NAN)));
  CHECK(std::isnan(rounded(std::bit_cast<float>(0x7f800001u))));
  CHECK(std::signbit(rounded(-0.0F)));
}

TEST_CASE("item, copy_from and typed access check their use") {
  Tensor x = Tensor::ones({2});
  CHECK_THROWS_WITH_AS(x.item(), "[item] expects a tensor with one element, got shape [2]", ShapeError);
  CHECK_THROWS_WITH_AS(x.data<double>(), "[tensor] elements are f32, asked for as f64", ShapeError);
  CHECK_THROWS_WITH_AS(x.copy_from(Tensor::ones({3})), "[copy_from] expects f32 [2], got f32 [3]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(x.copy_from(Tensor::ones({2}, Dtype::f64)), "[copy_from] expects f32 [2], got f64 [2]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(Tensor::from<float>({1, 2}, {3}), "[tensor] 2 values do not fill shape [3]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(check_same_kind("op", x, x.to(Dtype::f64)),
                       "[op] expects tensors of one dtype, got f32 and f64", ShapeError);
  x.copy_from(Tensor::full({2}, 4));
  CHECK(values(x) == std::vector<double>{4, 4});
}

TEST_CASE("gradients belong to floating tensors of their shape") {
  Tensor x = Tensor::ones({2}), index = Tensor::ones({2}, Dtype::i64);
  CHECK_THROWS_WITH_AS(index.set_requires_grad(),
                       "[set_requires_grad] only floating tensors have gradients, this is i64", ShapeError);
  CHECK_THROWS_WITH_AS(x.set_grad(Tensor::ones({3})), "[set_grad] expects shape [2], got [3]", ShapeError);
  x.set_grad(Tensor::ones({2}));
  CHECK(x.grad().defined());
  x.clear_grad();
  CHECK_FALSE(x.grad().defined());
}

TEST_CASE("str shows kind and first elements") {
  CHECK(Tensor::from<std::int32_t>({1, 2}, {2}).str() == "Tensor(i32 [2] on cpu: 1 2)");
  CHECK(Tensor::zeros({9}).str() == "Tensor(f32 [9] on cpu: 0 0 0 0 0 0 0 0 ...)");
}

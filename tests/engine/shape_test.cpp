#include "engine/shape.h"

#include <doctest/doctest.h>

#include <limits>

#include "engine/error.h"

using namespace noisymix;

TEST_CASE("a shape knows its elements, axes and strides") {
  const Shape scalar, x{2, 3, 4}, empty{2, 0, 4};
  CHECK(scalar.rank() == 0);
  CHECK(scalar.numel() == 1);
  CHECK(scalar.strides().empty());
  CHECK(x.numel() == 24);
  CHECK(x[0] == 2);
  CHECK(x[-1] == 4);
  CHECK(x.strides() == std::vector<std::int64_t>{12, 4, 1});
  CHECK(empty.numel() == 0);
  CHECK(x.str() == "[2, 3, 4]");
  CHECK(scalar.str() == "[]");
  CHECK(x == Shape(std::vector<std::int64_t>{2, 3, 4}));
  CHECK_FALSE(x == Shape{2, 3});
}

TEST_CASE("shapes whose bytes would overflow are rejected, also beside a zero") {
  const std::int64_t big = std::int64_t{1} << 40;
  CHECK_THROWS_WITH_AS(Shape({2, -1}), "[shape] sizes must not be negative, got [2, -1]", ShapeError);
  CHECK_THROWS_WITH_AS(Shape({big, big}), "[shape] too many elements: [1099511627776, 1099511627776]",
                       ShapeError);
  CHECK_THROWS_AS(Shape({0, big, big}), ShapeError);
  CHECK_THROWS_AS(Shape({std::numeric_limits<std::int64_t>::max()}), ShapeError);
  CHECK(Shape{std::int64_t{1} << 59}.numel() == std::int64_t{1} << 59);
}

TEST_CASE("axes outside the rank are rejected") {
  const Shape x{2, 3};
  CHECK(normalize_axis("op", -2, 2) == 0);
  CHECK(normalize_axis("op", 1, 2) == 1);
  CHECK_THROWS_WITH_AS(normalize_axis("op", 2, 2), "[op] axis 2 is outside the 2 axes of the tensor",
                       ShapeError);
  CHECK_THROWS_WITH_AS(normalize_axis("op", -3, 2), "[op] axis -3 is outside the 2 axes of the tensor",
                       ShapeError);
  CHECK_THROWS_AS(normalize_axis("op", 0, 0), ShapeError);
  CHECK_THROWS_AS(x[2], ShapeError);
}

TEST_CASE("broadcasting aligns at the last axis") {
  CHECK(broadcast_shapes("add", {2, 1, 4}, {3, 1}) == Shape{2, 3, 4});
  CHECK(broadcast_shapes("add", {}, {2}) == Shape{2});
  CHECK(broadcast_shapes("add", {1}, {0}) == Shape{0});
  CHECK(broadcast_shapes("add", {0, 3}, {1}) == Shape{0, 3});
  CHECK_THROWS_WITH_AS(
      broadcast_shapes("add", {2, 3}, {2}),
      "[add] cannot broadcast [2, 3] with [2]: sizes must be equal or 1, counted from the last axis",
      ShapeError);
  CHECK_THROWS_AS(broadcast_shapes("add", {0}, {2}), ShapeError);
}

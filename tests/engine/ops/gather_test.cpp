#include "engine/ops/gather.h"

#include "engine/cpu/parallel.h"
#include "tests/ops_golden.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

Tensor indices(const std::vector<std::int64_t>& list, const Shape& shape) {
  return Tensor::from(list, shape);
}
Tensor indices(const std::vector<std::int64_t>& list) {
  return indices(list, {static_cast<std::int64_t>(list.size())});
}

}  // namespace

TEST_CASE("index_select picks in the order of the index, along any axis") {
  const Tensor x = Tensor::from<float>({0, 1, 2, 3, 4, 5}, {2, 3});
  CHECK(values(index_select(x, indices({1, 0, 1}))) == std::vector<double>{3, 4, 5, 0, 1, 2, 3, 4, 5});
  CHECK(values(index_select(x, indices({2, 0}), -1)) == std::vector<double>{2, 0, 5, 3});
  CHECK(index_select(x, indices({})).shape() == Shape{0, 3});
  CHECK(index_select(x.to(Dtype::u8), indices({1})).to_vector<std::uint8_t>() ==
        std::vector<std::uint8_t>{3, 4, 5});
}

TEST_CASE("gather picks one element per index") {
  const Tensor x = Tensor::from<float>({0, 1, 2, 3, 4, 5}, {2, 3});
  CHECK(values(gather(x, indices({2, 0, 1, 1}, {2, 2}), 1)) == std::vector<double>{2, 0, 4, 4});
  CHECK(values(gather(x, indices({1, 0}, {1, 2}), 0)) == std::vector<double>{3, 1});
  CHECK(gather(x, Tensor::empty({2, 0}, Dtype::i64), 1).shape() == Shape{2, 0});
}

TEST_CASE("embedding keeps the shape of the index") {
  const Tensor weight = Tensor::from<float>({0, 1, 10, 11, 20, 21}, {3, 2});
  const Tensor y = embedding(weight, indices({2, 0, 0, 1}, {2, 2}));
  CHECK(y.shape() == Shape{2, 2, 2});
  CHECK(values(y) == std::vector<double>{20, 21, 0, 1, 0, 1, 10, 11});
  CHECK(embedding(weight, indices({1}, {})).shape() == Shape{2});
}

TEST_CASE("one_hot in every dtype") {
  for (const Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::f64, Dtype::i64, Dtype::i32, Dtype::u8}) {
    const Tensor y = one_hot(indices({2, 0}), 3, dtype);
    CHECK(y.dtype() == dtype);
    CHECK(values(y) == std::vector<double>{0, 0, 1, 1, 0, 0});
  }
}

TEST_CASE("index_select, gather, embedding and one_hot match the reference") {
  for (const OpsCase& item : ops_cases("index_select"))
    check_ops_case(item, {"x", "index"},
                   [&](const auto& in) { return index_select(in[0], in[1], item.attrs.at("axis")); });
  for (const OpsCase& item : ops_cases("gather"))
    check_ops_case(item, {"x", "index"},
                   [&](const auto& in) { return gather(in[0], in[1], item.attrs.at("axis")); });
  check_ops_cases("embedding", {"weight", "index"}, [](const auto& in) { return embedding(in[0], in[1]); });
  for (const OpsCase& item : ops_cases("one_hot"))
    check_ops_case(item, {"index"}, [&](const auto& in) { return one_hot(in[0], item.attrs.at("classes")); });
}

TEST_CASE("gradients add up over repeated indices") {
  const Tensor x = random_normal({4, 3, 2}, Key(1));
  check_gradients([](const auto& in) { return index_select(in[0], indices({1, 1, 3, 0, 1}), 0); }, {x});
  check_gradients([](const auto& in) { return index_select(in[0], indices({2, 2}), 1); }, {x});
  check_gradients(
      [](const auto& in) {
        return gather(in[0], indices({0, 3, 3, 1, 1, 1}, {3, 1, 2}), 0);
      },
      {x});
  check_gradients(
      [](const auto& in) {
        return gather(in[0], indices({1, 1, 0, 0, 0, 1}, {2, 1, 3}), 2);
      },
      {x});
  check_gradients(
      [](const auto& in) {
        return embedding(in[0], indices({4, 4, 0, 2}, {2, 2}));
      },
      {random_normal({5, 3}, Key(2))});
}

TEST_CASE("bf16 gradients add up in float") {
  const std::vector<std::int64_t> repeated(300, 0);
  for (const bool by_row : {true, false}) {
    Tensor x = Tensor::ones({1, 1}, Dtype::bf16);
    x.set_requires_grad();
    const Tensor y = by_row ? index_select(x, indices(repeated)) : gather(x, indices(repeated, {300, 1}), 0);
    backward(y, Tensor::ones(y.shape(), Dtype::bf16));
    CHECK(x.grad().item() == 300);
  }
}

TEST_CASE("gradients have the same bits for every thread count") {
  Tensor x = random_normal({50, 2000}, Key(1));
  x.set_requires_grad();
  std::vector<std::int64_t> list;
  for (std::uint64_t i = 0; i < 200; ++i) list.push_back(Key(2).below(i, 50));
  const Tensor g = random_normal({200, 2000}, Key(3));
  const auto gradient = [&](int threads) {
    cpu::set_threads(threads);
    x.clear_grad();
    backward(index_select(x, indices(list)), g);
    cpu::set_threads(0);
    return x.grad();
  };
  CHECK(same_bits(gradient(1), gradient(7)));
}

TEST_CASE("index errors say which index and what range") {
  const Tensor x = Tensor::zeros({2, 3});
  CHECK_THROWS_WITH_AS(index_select(x, indices({0, 2})),
                       "[index_select] index 2 at position 1 is outside 0..1", ShapeError);
  CHECK_THROWS_WITH_AS(index_select(x, indices({-1}), 1),
                       "[index_select] index -1 at position 0 is outside 0..2", ShapeError);
  CHECK_THROWS_WITH_AS(index_select(x, indices({0}, {1, 1})),
                       "[index_select] expects one axis of indices, got shape [1, 1]", ShapeError);
  CHECK_THROWS_WITH_AS(index_select(x, Tensor::zeros({1})), "[index_select] expects i64 indices, got f32",
                       ShapeError);
  CHECK_THROWS_WITH_AS(gather(x, indices({3, 0}, {2, 1}), 1),
                       "[gather] index 3 at position 0 is outside 0..2", ShapeError);
  CHECK_THROWS_WITH_AS(
      gather(x, indices({0, 0, 0}, {3, 1}), 1),
      "[gather] index [3, 1] must have the rank of [2, 3] and no larger size except along axis 1",
      ShapeError);
  CHECK_THROWS_WITH_AS(embedding(x, indices({5})), "[embedding] index 5 at position 0 is outside 0..1",
                       ShapeError);
  CHECK_THROWS_WITH_AS(embedding(x.reshape({6}), indices({0})),
                       "[embedding] weight must be [count, width], got [6]", ShapeError);
  CHECK_THROWS_WITH_AS(one_hot(indices({3}), 3), "[one_hot] index 3 at position 0 is outside 0..2",
                       ShapeError);
  CHECK_THROWS_WITH_AS(one_hot(indices({}), 0), "[one_hot] expects at least one class, got 0", ShapeError);
}

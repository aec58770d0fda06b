#include "engine/ops/gather.h"

#include <doctest/doctest.h>

#include "tests/check_device.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

Tensor indices(const Shape& shape, std::int64_t below, Key key) {
  return random_uniform(shape, key, 0, static_cast<double>(below), Dtype::f64).to(Dtype::i64);
}

void check_select(const Shape& shape, int axis, std::int64_t m) {
  check_devices_agree("index_select",
                      [axis](const std::vector<Tensor>& in) { return index_select(in[0], in[1], axis); },
                      {random_normal(shape, Key(1)), indices({m}, shape[axis], Key(2))});
}

}  // namespace

TEST_CASE("cuda gather: index_select along each axis, with few and many repeats") {
  if (!gpu()) return;
  for (const int axis : {0, 1, 2})
    for (const std::int64_t m : {0, 1, 4, 90}) check_select({5, 7, 4}, axis, m);
  check_select({6, 64}, 0, 9);
  check_select({3, 33}, 0, 1000);
  check_select({3000, 2}, 0, 700);
  check_select({4}, 0, 600);
}

TEST_CASE("cuda gather: gather along each axis") {
  if (!gpu()) return;
  const auto check = [](const Shape& x, const Shape& index, int axis) {
    check_devices_agree("gather",
                        [axis](const std::vector<Tensor>& in) { return gather(in[0], in[1], axis); },
                        {random_normal(x, Key(3)), indices(index, x[axis], Key(4))});
  };
  for (const int axis : {0, 1, 2}) {
    check({5, 7, 4}, {5, 7, 4}, axis);
    check({5, 7, 4}, {3, 2, 4}, axis);
  }
  check({9, 10}, {9, 1}, 1);    // the logit of each label
  check({9, 10}, {4, 100}, 1);  // few long lines
  check({30}, {1000}, 0);
  check({2000, 3}, {2000, 100}, 1);
  check({5, 3}, {0, 3}, 0);
}

TEST_CASE("cuda gather: embedding and one_hot") {
  const auto device = gpu();
  if (!device) return;
  check_devices_agree("embedding", [](const std::vector<Tensor>& in) { return embedding(in[0], in[1]); },
                      {random_normal({11, 6}, Key(5)), indices({3, 4}, 11, Key(6))});
  for (const Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::f64, Dtype::i64, Dtype::u8})
    for (const Shape& shape : {Shape{}, Shape{0}, Shape{3, 5}, Shape{400}}) {
      const Tensor labels = indices(shape, 10, Key(7));
      CHECK(same_bits(one_hot(labels.to(*device), 10, dtype).to(Device{}), one_hot(labels, 10, dtype)));
    }
}

TEST_CASE("cuda gather: all dtypes are picked, wrong indices refused") {
  const auto device = gpu();
  if (!device) return;
  const Tensor picks = indices({6}, 5, Key(8));
  for (const Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::f64, Dtype::i64, Dtype::i32, Dtype::u8})
    for (const std::int64_t width : {1, 3, 16}) {
      const Tensor x = random_uniform({5, width}, Key(9), 0, 200).to(dtype);
      CHECK(same_bits(index_select(x.to(*device), picks.to(*device)).to(Device{}), index_select(x, picks)));
    }
  const Tensor wrong = Tensor::from(std::vector<std::int64_t>{0, 5}, {2}).to(*device);
  CHECK(message_of([&] {
          index_select(Tensor::zeros({5, 2}, Dtype::f32, *device), wrong);
        }) == "[index_select] index 5 at position 1 is outside 0..4");
}

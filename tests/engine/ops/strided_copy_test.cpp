#include "engine/ops/strided_copy.h"

#include <doctest/doctest.h>

#include <numeric>

#include "engine/cpu/parallel.h"

using namespace noisymix;

namespace {

Tensor counted(const Shape& shape) {
  std::vector<std::int32_t> values(static_cast<std::size_t>(shape.numel()));
  std::iota(values.begin(), values.end(), 0);
  return Tensor::from(values, shape);
}

/// The definition, one element at a time.
void plain_copy(const Tensor& from, Tensor& to, const StridedCopy& copy, std::size_t axis = 0,
                std::int64_t from_at = 0, std::int64_t to_at = 0) {
  if (axis == copy.axes.size()) {
    to.mutable_data<std::int32_t>()[copy.to_offset + to_at] =
        from.data<std::int32_t>()[copy.from_offset + from_at];
    return;
  }
  const auto& a = copy.axes[axis];
  for (std::int64_t i = 0; i < a.size; ++i)
    plain_copy(from, to, copy, axis + 1, from_at + i * a.from_stride, to_at + i * a.to_stride);
}

void check_against_plain(const Tensor& from, const Shape& target, const StridedCopy& copy) {
  Tensor want = Tensor::full(target, -1, Dtype::i32), got = want.clone();
  plain_copy(from, want, copy);
  copy_strided("test", from, got, copy);
  CHECK(got.to_vector<std::int32_t>() == want.to_vector<std::int32_t>());
}

}  // namespace

TEST_CASE("strided_copy agrees with the plain loop on transposes of every tile remainder") {
  for (const std::int64_t rows : {1, 2, 31, 32, 33, 65})
    for (const std::int64_t columns : {1, 3, 32, 70})
      check_against_plain(counted({2, rows, columns}), {2, columns, rows},
                          {{{2, rows * columns, rows * columns}, {columns, 1, rows}, {rows, columns, 1}}});
}

TEST_CASE("strided_copy handles offsets, negative and zero strides") {
  const Tensor x = counted({4, 5});
  check_against_plain(x, {4, 5}, {{{4, 5, 5}, {5, -1, 1}}, 4, 0});
  check_against_plain(x, {3, 4, 5}, {{{3, 0, 20}, {4, 5, 5}, {5, 1, 1}}});
  check_against_plain(x, {4, 5}, {{{2, 10, 10}, {2, 2, 2}}, 1, 6});
  check_against_plain(x, {5, 4}, {{}, 7, 3});
}

TEST_CASE("strided_copy touches nothing when a size is zero") {
  check_against_plain(counted({3}), {3}, {{{3, 1, 1}, {0, 1, 1}}});
}

TEST_CASE("strided_copy splits one long row over threads") {
  const std::int64_t n = 200'003;
  for (const int count : {1, 3}) {
    cpu::set_threads(count);
    check_against_plain(counted({n}), {n}, {{{n, 1, 1}}});
    check_against_plain(counted({n}), {n}, {{{n, -1, 1}}, n - 1, 0});
  }
  cpu::set_threads(0);
}

TEST_CASE("strided_copy reversed puts elements back") {
  const Tensor x = counted({6});
  const StridedCopy copy{{{3, 2, 1}}, 1, 0};
  Tensor picked = Tensor::zeros({3}, Dtype::i32), back = Tensor::zeros({6}, Dtype::i32);
  copy_strided("test", x, picked, copy);
  copy_strided("test", picked, back, copy.reversed());
  CHECK(picked.to_vector<std::int32_t>() == std::vector<std::int32_t>{1, 3, 5});
  CHECK(back.to_vector<std::int32_t>() == std::vector<std::int32_t>{0, 1, 0, 3, 0, 5});
}

TEST_CASE("strided_copy moves every dtype and rejects mixed ones") {
  for (const Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::f64, Dtype::i64, Dtype::i32, Dtype::u8}) {
    const Tensor x = counted({2, 3}).to(dtype);
    Tensor y = Tensor::empty({3, 2}, dtype);
    copy_strided("test", x, y, {{{3, 1, 2}, {2, 3, 1}}});
    CHECK(y.to(Dtype::i32).to_vector<std::int32_t>() == std::vector<std::int32_t>{0, 3, 1, 4, 2, 5});
  }
  Tensor y = Tensor::empty({6}, Dtype::f32);
  CHECK_THROWS_WITH_AS(copy_strided("test", counted({6}), y, {{{6, 1, 1}}}),
                       "[test] expects tensors of one dtype, got i32 and f32", ShapeError);
}

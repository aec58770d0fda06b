#include "engine/ops/random.h"

#include <doctest/doctest.h>

#include "tests/check_device.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("cuda random: uniform numbers are those of the CPU, bit for bit") {
  const auto device = gpu();
  if (!device) return;
  for (const Dtype dtype : {Dtype::f64, Dtype::f32, Dtype::bf16})
    for (const Shape& shape : {Shape{}, Shape{0}, Shape{3, 5}, Shape{5001}}) {
      CHECK(same_bits(random_uniform(shape, Key(1), 0, 1, dtype, *device).to(Device{}),
                      random_uniform(shape, Key(1), 0, 1, dtype)));
      CHECK(same_bits(random_uniform(shape, Key(2), -0.3, 0.7, dtype, *device).to(Device{}),
                      random_uniform(shape, Key(2), -0.3, 0.7, dtype)));
    }
}

TEST_CASE("cuda random: normal numbers are those of the CPU up to rounding") {
  const auto device = gpu();
  if (!device) return;
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{3, 5}, Shape{5001}}) {
    const auto error = [&](Dtype dtype) {
      return relative_error(random_normal(shape, Key(3), 0.5, 2, dtype, *device),
                            random_normal(shape, Key(3), 0.5, 2, dtype));
    };
    CHECK(error(Dtype::f64) < 1e-14);
    CHECK(error(Dtype::f32) < 1e-7);
    CHECK(error(Dtype::bf16) < 4e-3);
  }
}

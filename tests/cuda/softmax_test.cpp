#include "engine/ops/softmax.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/check_device.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("cuda softmax: every axis, short and long, few and many") {
  if (!gpu()) return;
  const Shape shapes[] = {{1},         {7},       {0, 5},        {5, 0},      {3, 10},
                          {65, 3},     {5, 64},   {2, 999},      {1, 20'001}, {1, 32'768},
                          {20'000, 2}, {3, 5, 7}, {2, 16, 4, 8}, {3000, 10}};
  for (const Shape& shape : shapes)
    for (int axis = 0; axis < shape.rank(); ++axis) {
      const Tensor x = random_normal(shape, Key(1), 0, 3);
      check_devices_agree("softmax", [&](const std::vector<Tensor>& in) { return softmax(in[0], axis); },
                          {x});
      check_devices_agree("log_softmax",
                          [&](const std::vector<Tensor>& in) { return log_softmax(in[0], axis); }, {x});
    }
}

TEST_CASE("cuda softmax: large logits do not overflow, NaN spoils its own vector only") {
  const auto device = gpu();
  if (!device) return;
  const Tensor x = Tensor::from(std::vector<float>{1000, 999, -1000, 0, std::nanf(""), 1}, {2, 3});
  for (const int axis : {0, 1}) {
    const auto got = values(softmax(x.to(*device), axis)), want = values(softmax(x, axis));
    const auto got_log = values(log_softmax(x.to(*device), axis)), want_log = values(log_softmax(x, axis));
    for (std::size_t i = 0; i < want.size(); ++i) {
      CHECK(std::isnan(got[i]) == std::isnan(want[i]));
      CHECK(std::isnan(got_log[i]) == std::isnan(want_log[i]));
      if (std::isnan(want[i])) continue;
      CHECK(got[i] == doctest::Approx(want[i]));
      CHECK(got_log[i] == doctest::Approx(want_log[i]));
    }
  }
}

TEST_CASE("cuda softmax: rows that begin at odd addresses") {
  const auto device = gpu();
  if (!device) return;
  const Tensor x = random_normal({9, 5}, Key(2));
  CHECK(relative_error(softmax(x.to(*device).rows(1, 8)), softmax(x.rows(1, 8))) < 1e-6);
}

#include "engine/profile.h"

#include <doctest/doctest.h>

#include "engine/autograd.h"
#include "engine/ops/conv2d.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"

using namespace noisymix;

TEST_CASE("a profile counts calls, arithmetic and bytes of each op and its gradients") {
  const Tensor x = Tensor::ones({2, 5, 6, 3});
  Tensor weight = Tensor::ones({4, 3, 3, 3});
  weight.set_requires_grad();
  Profile profile;
  backward(sum(exp(conv2d(x, weight, Tensor()))));
  const auto& costs = profile.costs();
  const double flops = 2.0 * (2 * 3 * 4 * 4) * (3 * 3 * 3);
  REQUIRE(costs.contains("conv2d"));
  REQUIRE(costs.contains("conv2d, weight gradient"));
  CHECK_FALSE(costs.contains("conv2d, input gradient"));  // x wants none
  CHECK(costs.at("conv2d").calls == 1);
  CHECK(costs.at("conv2d").flops == flops);
  CHECK(costs.at("conv2d").bytes == 4.0 * (2 * 5 * 6 * 3 + 4 * 3 * 3 * 3 + 2 * 3 * 4 * 4));
  CHECK(costs.at("conv2d, weight gradient").flops == flops);
  REQUIRE(costs.contains("exp"));
  REQUIRE(costs.contains("exp, backward"));
  CHECK(costs.at("exp").bytes == 4.0 * 2 * (2 * 3 * 4 * 4));
  for (const auto& [name, cost] : costs) CHECK(cost.seconds >= 0);
}

TEST_CASE("without a profile nothing is counted, and profiles nest") {
  CHECK(Profile::active() == nullptr);
  const Tensor x = Tensor::ones({8});
  Profile outer;
  {
    Profile inner;
    exp(x);
    CHECK(inner.costs().at("exp").calls == 1);
  }
  CHECK(outer.costs().empty());
  exp(x);
  CHECK(outer.costs().at("exp").calls == 1);
}

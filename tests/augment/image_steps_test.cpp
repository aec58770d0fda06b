#include "augment/image_steps.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "augment/image_ops.h"
#include "augment/policies/auto_augment.h"
#include "engine/error.h"
#include "tests/augment/images.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("image steps: jitter factors are uniform and in every order") {
  std::map<std::string, int> orders;
  double sum[3] = {}, squares[3] = {};
  constexpr int kDraws = 6000;
  for (int i = 0; i < kDraws; ++i) {
    const JitterDraw draw = draw_jitter(0.25, Key(static_cast<std::uint64_t>(i)));
    std::string order;
    for (int k = 0; k < 3; ++k) {
      order += static_cast<char>('0' + draw.order[k]);
      CHECK(draw.factors[k] >= 0.75);
      CHECK(draw.factors[k] < 1.25);
      sum[k] += draw.factors[k];
      squares[k] += (draw.factors[k] - 1) * (draw.factors[k] - 1);
    }
    ++orders[order];
  }
  CHECK(orders.size() == 6);
  for (const auto& [order, count] : orders) {
    std::string sorted = order;
    std::sort(sorted.begin(), sorted.end());
    CHECK(sorted == "012");
    CHECK(std::abs(count - kDraws / 6) < 150);
  }
  for (int k = 0; k < 3; ++k) {
    CHECK(std::abs(sum[k] / kDraws - 1) < 0.01);
    CHECK(squares[k] / kDraws == doctest::Approx(0.25 * 0.25 / 3).epsilon(0.06));
  }
}

TEST_CASE("image steps: jitter, then rotation, then policy, each from its own key") {
  const Image image = smooth_image(32, 32, 3, Key(5));
  ImageSteps steps;
  CHECK_FALSE(steps.any());
  CHECK(&apply_image_steps(steps, image, Key(1)) == &image);
  steps = {.jitter = 0.25, .rotation = 20, .policy = {{{PolicyOperation::shear_x, 1, 0, 0.2}}}};
  CHECK(steps.any());
  int positive = 0;
  for (int i = 0; i < 40; ++i) {
    const Key key(static_cast<std::uint64_t>(i));
    Image current = image, out;
    const JitterDraw jitter = draw_jitter(0.25, key.child("jitter"));
    for (const int which : jitter.order) {
      if (which == 0) brightness(current, out, jitter.factors[0]);
      if (which == 1) contrast(current, out, jitter.factors[1]);
      if (which == 2) color(current, out, jitter.factors[2]);
      current = out;
    }
    const double angle = -20 + 40 * key.child("rotation").uniform(0);
    positive += angle > 0;
    rotate_nearest(current, out, angle);
    PolicyDraw draw;
    draw_policy(steps.policy, key.child("policy"), draw);
    apply_step(draw.steps.at(0), out, current);
    CHECK(apply_image_steps(steps, image, key) == current);
  }
  CHECK(positive > 10);
  CHECK(positive < 30);
}

TEST_CASE("image steps: grey images and all operations of a policy pass") {
  const ImageSteps steps{.jitter = 0.4, .rotation = 15, .policy = cifar_auto_augment()};
  check_image_steps(steps);
  for (const int channels : {1, 3}) {
    const Image image = smooth_image(9, 14, channels, Key(5));
    int changed = 0;
    for (int i = 0; i < 300; ++i) {
      const Image& out = apply_image_steps(steps, image, Key(static_cast<std::uint64_t>(i)));
      REQUIRE(out.channels == channels);
      REQUIRE(out.pixels.size() == image.pixels.size());
      changed += !(out == image);
    }
    CHECK(changed > 290);
  }
}

TEST_CASE("image steps: settings out of range are refused") {
  CHECK_THROWS_AS(check_image_steps({.jitter = -0.1}), ConfigError);
  CHECK_THROWS_AS(check_image_steps({.jitter = 1.1}), ConfigError);
  CHECK_THROWS_AS(check_image_steps({.jitter = NAN}), ConfigError);
  CHECK_THROWS_AS(check_image_steps({.rotation = 181}), ConfigError);
  CHECK_THROWS_AS(check_image_steps({.policy = {{}}}), ConfigError);
}

// The laws of a policy's draws, and what its operations do.
#include "augment/policies/policy.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "augment/image_ops.h"
#include "engine/error.h"
#include "tests/augment/images.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

constexpr int kDraws = 20000;

Image applied(PolicyOperation operation, double value, const Image& image, double x = 0, double y = 0) {
  Image out;
  apply_step({operation, value, x, y}, image, out);
  return out;
}

template <typename Op>
Image made(const Image& image, Op op) {
  Image out;
  op(image, out);
  return out;
}

}  // namespace

TEST_CASE("policy: sub-policies are even, operations and signs have their probabilities, all independent") {
  using enum PolicyOperation;
  const Policy policy{{{rotate, 0.3, 0, 10}, {color, 0.9, 1, 0.4}},
                      {{invert, 0, 0, 0}, {equalize, 1, 0, 0}},
                      {{cutout, 0.5, 0.1, 0}}};
  check_policy(policy);
  PolicyDraw draw;
  int chosen[3] = {}, first = 0, second = 0, both = 0, negative = 0, less = 0, equalized = 0, cut = 0;
  double sum_x = 0, sum_y = 0;
  for (int i = 0; i < kDraws; ++i) {
    draw_policy(policy, Key(static_cast<std::uint64_t>(i)), draw);
    ++chosen[draw.sub_policy];
    bool rotated = false;
    for (const AppliedStep& step : draw.steps) {
      CHECK(step.operation != invert);
      if (step.operation == rotate) {
        rotated = true;
        ++first;
        CHECK(std::abs(step.value) == 10);
        negative += step.value < 0;
      } else if (step.operation == color) {
        ++second;
        both += rotated;
        const bool below = step.value < 1;
        CHECK(step.value == doctest::Approx(below ? 0.6 : 1.4));
        less += below;
      } else if (step.operation == cutout) {
        ++cut;
        CHECK(step.value == 0.1);
        sum_x += step.x;
        sum_y += step.y;
      } else {
        ++equalized;
      }
    }
  }
  const double third = kDraws / 3.0;  // standard deviations are at most 75
  for (const int count : chosen) CHECK(std::abs(count - third) < 350);
  CHECK(std::abs(first - 0.3 * chosen[0]) < 200);
  CHECK(std::abs(second - 0.9 * chosen[0]) < 150);
  CHECK(std::abs(both - 0.27 * chosen[0]) < 200);
  CHECK(std::abs(negative - 0.5 * first) < 120);
  CHECK(std::abs(less - 0.5 * second) < 200);
  CHECK(equalized == chosen[1]);
  CHECK(std::abs(cut - 0.5 * chosen[2]) < 220);
  CHECK(std::abs(sum_x / cut - 0.5) < 0.03);
  CHECK(std::abs(sum_y / cut - 0.5) < 0.03);
}

TEST_CASE("policy: an operation's draw does not depend on the probabilities of others") {
  using enum PolicyOperation;
  const Policy one{{{rotate, 0, 0, 10}, {shear_x, 0.5, 0, 0.1}}},
      other{{{rotate, 1, 0, 10}, {shear_x, 0.5, 0, 0.1}}};
  PolicyDraw a, b;
  for (int i = 0; i < 200; ++i) {
    draw_policy(one, Key(static_cast<std::uint64_t>(i)), a);
    draw_policy(other, Key(static_cast<std::uint64_t>(i)), b);
    REQUIRE(b.steps.size() == a.steps.size() + 1);
    if (!a.steps.empty()) CHECK(a.steps[0].value == b.steps[1].value);
  }
}

TEST_CASE("policy: what the operations are") {
  using enum PolicyOperation;
  const Image image = smooth_image(20, 24, 3, Key(4));
  const auto same = [&](const Image& got, auto op) { CHECK(got == made(image, op)); };
  same(applied(shear_x, 0.2, image), [](auto& i, auto& o) {
    noisymix::affine_nearest(i, o, {1, 0.2, 0, 0, 1, 0});
  });
  same(applied(shear_y, -0.2, image), [](auto& i, auto& o) {
    noisymix::affine_nearest(i, o, {1, 0, 0, -0.2, 1, 0});
  });
  same(applied(rotate, 17, image), [](auto& i, auto& o) { noisymix::rotate_nearest(i, o, 17); });
  same(applied(autocontrast, 0, image), [](auto& i, auto& o) { noisymix::autocontrast(i, o); });
  same(applied(invert, 0, image), [](auto& i, auto& o) { noisymix::invert(i, o); });
  same(applied(equalize, 0, image), [](auto& i, auto& o) { noisymix::equalize(i, o); });
  same(applied(solarize, 198.4, image), [](auto& i, auto& o) { noisymix::solarize(i, o, 199); });
  same(applied(solarize, 128, image), [](auto& i, auto& o) { noisymix::solarize(i, o, 128); });
  same(applied(posterize, 5, image), [](auto& i, auto& o) { noisymix::posterize(i, o, 5); });
  same(applied(contrast, 1.4, image), [](auto& i, auto& o) { noisymix::contrast(i, o, 1.4); });
  same(applied(color, 0.4, image), [](auto& i, auto& o) { noisymix::color(i, o, 0.4); });
  same(applied(brightness, 0.4, image), [](auto& i, auto& o) { noisymix::brightness(i, o, 0.4); });
  same(applied(sharpness, 1.9, image), [](auto& i, auto& o) { noisymix::sharpness(i, o, 1.9); });
  same(applied(cutout, 0.2, image, 0.5, 0.25), [](auto& i, auto& o) { noisymix::cutout(i, o, 12, 5, 4.8); });
  // Translations are by the nearest whole number of pixels, of the side they run along.
  same(applied(translate_x, 0.1, image), [](auto& i, auto& o) { noisymix::translate_x(i, o, 2); });  // 2.4
  same(applied(translate_x, -0.11, image),
       [](auto& i, auto& o) { noisymix::translate_x(i, o, -3); });                                    // -2.64
  same(applied(translate_y, 0.13, image), [](auto& i, auto& o) { noisymix::translate_y(i, o, 3); });  // 2.6
}

TEST_CASE("policy: unsound policies are refused with the number of the sub-policy") {
  using enum PolicyOperation;
  const auto refused = [](Policy policy, const char* message) {
    CHECK_THROWS_WITH_AS(check_policy(policy), message, ConfigError);
  };
  refused({}, "[policy] expected at least one sub-policy");
  refused({{{invert, 1, 0, 0}}, {}}, "[policy] sub-policy 2: 0 operations, expected 1 to 16");
  refused({{{invert, 1.5, 0, 0}}}, "[policy] sub-policy 1: Invert has probability 1.5, expected 0 to 1");
  refused({{{invert, NAN, 0, 0}}}, "[policy] sub-policy 1: Invert has probability nan, expected 0 to 1");
  refused({{{solarize, 1, 300, 0}}}, "[policy] sub-policy 1: Solarize takes 300 +- 0, expected 0 to 256");
  refused({{{posterize, 1, 7, 2}}}, "[policy] sub-policy 1: Posterize takes 7 +- 2, expected 0 to 8");
  refused({{{rotate, 1, INFINITY, 0}}}, "[policy] sub-policy 1: Rotate takes inf +- 0, expected -360 to 360");
  refused({SubPolicy(17)}, "[policy] sub-policy 1: 17 operations, expected 1 to 16");
}

TEST_CASE("policy: operations are found by their names") {
  CHECK(policy_operation_names().size() == kPolicyOperations);
  for (int i = 0; i < kPolicyOperations; ++i) {
    const auto operation = static_cast<PolicyOperation>(i);
    CHECK(find_policy_operation(name_of(operation)) == operation);
  }
  CHECK(find_policy_operation("TranslateX") == PolicyOperation::translate_x);
  CHECK(find_policy_operation("Cutout") == PolicyOperation::cutout);
  CHECK_FALSE(find_policy_operation("translatex").has_value());
}

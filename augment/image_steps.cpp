#include "augment/image_steps.h"

#include <utility>

#include "augment/image_ops.h"
#include "engine/error.h"

namespace noisymix {
namespace {

constexpr int kOrders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

void adjust(int which, const Image& image, Image& out, double factor) {
  if (which == 0) return brightness(image, out, factor);
  if (which == 1) return contrast(image, out, factor);
  color(image, out, factor);
}

}  // namespace

void check_image_steps(const ImageSteps& steps) {
  NM_CHECK_AS(ConfigError, steps.jitter >= 0 && steps.jitter <= 1, "[views] jitter is ", steps.jitter,
              ", expected 0 to 1");
  NM_CHECK_AS(ConfigError, steps.rotation >= 0 && steps.rotation <= 180, "[views] rotation is ",
              steps.rotation, ", expected 0 to 180 degrees");
  if (!steps.policy.empty()) check_policy(steps.policy);
}

JitterDraw draw_jitter(double jitter, Key key) {
  JitterDraw draw{};
  const auto& order = kOrders[key.below(0, 6)];
  for (int i = 0; i < 3; ++i) {
    draw.order[i] = order[i];
    draw.factors[i] = 1 - jitter + 2 * jitter * key.uniform(static_cast<std::uint64_t>(i) + 1);
  }
  return draw;
}

const Image& apply_image_steps(const ImageSteps& steps, const Image& image, Key key) {
  thread_local Image result, other;
  thread_local PolicyDraw policy;
  const Image* current = &image;
  const auto keep = [&] {  // what was just written to `other`
    std::swap(result, other);
    current = &result;
  };
  if (steps.jitter > 0) {
    const JitterDraw draw = draw_jitter(steps.jitter, key.child("jitter"));
    for (const int which : draw.order) {
      adjust(which, *current, other, draw.factors[which]);
      keep();
    }
  }
  if (steps.rotation > 0) {
    rotate_nearest(*current, other, steps.rotation * (2 * key.child("rotation").uniform(0) - 1));
    keep();
  }
  if (!steps.policy.empty()) {
    draw_policy(steps.policy, key.child("policy"), policy);
    for (const AppliedStep& step : policy.steps) {
      apply_step(step, *current, other);
      keep();
    }
  }
  return *current;
}

}  // namespace noisymix

#include "augment/policies/policy.h"

#include <cmath>
#include <iterator>

#include "augment/image_ops.h"
#include "engine/error.h"

namespace noisymix {
namespace {

constexpr const char* kNames[] = {"ShearX",       "ShearY", "TranslateX", "TranslateY", "Rotate",
                                  "AutoContrast", "Invert", "Equalize",   "Solarize",   "Posterize",
                                  "Contrast",     "Color",  "Brightness", "Sharpness",  "Cutout"};
static_assert(std::size(kNames) == std::size_t{kPolicyOperations});

struct ValueRange {
  double low, high;
};

ValueRange range_of(PolicyOperation operation) {
  switch (operation) {
    case PolicyOperation::shear_x:
    case PolicyOperation::shear_y:
    case PolicyOperation::translate_x:
    case PolicyOperation::translate_y:
      return {-1, 1};
    case PolicyOperation::rotate:
      return {-360, 360};
    case PolicyOperation::autocontrast:
    case PolicyOperation::invert:
    case PolicyOperation::equalize:
      return {0, 0};
    case PolicyOperation::solarize:
      return {0, 256};
    case PolicyOperation::posterize:
      return {0, 8};
    case PolicyOperation::contrast:
    case PolicyOperation::color:
    case PolicyOperation::brightness:
    case PolicyOperation::sharpness:
      return {0, 100};
    case PolicyOperation::cutout:
      return {0, 1};
  }
  return {0, 0};
}

void check_step(const PolicyStep& step, std::size_t number) {
  NM_CHECK_AS(ConfigError, step.probability >= 0 && step.probability <= 1, "[policy] sub-policy ", number,
              ": ", name_of(step.operation), " has probability ", step.probability, ", expected 0 to 1");
  const ValueRange range = range_of(step.operation);
  const double reach = std::abs(step.swing);
  NM_CHECK_AS(ConfigError, step.centre - reach >= range.low && step.centre + reach <= range.high,
              "[policy] sub-policy ", number, ": ", name_of(step.operation), " takes ", step.centre, " +- ",
              reach, ", expected ", range.low, " to ", range.high);
}

/// Translations by the nearest pixel move whole pixels: floor(x + 1/2 + shift) = x + floor(1/2 + shift).
int whole_shift(double share, int side) {
  return static_cast<int>(std::floor(share * side + 0.5));
}

}  // namespace

const char* name_of(PolicyOperation operation) {
  return kNames[static_cast<std::size_t>(operation)];
}

std::optional<PolicyOperation> find_policy_operation(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kNames); ++i)
    if (name == kNames[i]) return static_cast<PolicyOperation>(i);
  return std::nullopt;
}

std::vector<std::string> policy_operation_names() {
  return {std::begin(kNames), std::end(kNames)};
}

void check_policy(const Policy& policy) {
  NM_CHECK_AS(ConfigError, !policy.empty(), "[policy] expected at least one sub-policy");
  for (std::size_t i = 0; i < policy.size(); ++i) {
    NM_CHECK_AS(ConfigError, !policy[i].empty() && policy[i].size() <= kLargestSubPolicy,
                "[policy] sub-policy ", i + 1, ": ", policy[i].size(), " operations, expected 1 to ",
                kLargestSubPolicy);
    for (const PolicyStep& step : policy[i]) check_step(step, i + 1);
  }
}

void draw_policy(const Policy& policy, Key key, PolicyDraw& draw) {
  draw.sub_policy = key.below(0, static_cast<std::int64_t>(policy.size()));
  draw.steps.clear();
  const SubPolicy& chosen = policy[static_cast<std::size_t>(draw.sub_policy)];
  for (std::size_t k = 0; k < chosen.size(); ++k) {
    const PolicyStep& step = chosen[k];
    const auto words = key.block(k + 1);
    if (!(words[0] * 0x1p-32 < step.probability)) continue;
    const double value = words[1] >= 0x80000000u ? step.centre - step.swing : step.centre + step.swing;
    draw.steps.push_back({step.operation, value, words[2] * 0x1p-32, words[3] * 0x1p-32});
  }
}

void apply_step(const AppliedStep& step, const Image& image, Image& out) {
  switch (step.operation) {
    case PolicyOperation::shear_x:
      return affine_nearest(image, out, {1, step.value, 0, 0, 1, 0});
    case PolicyOperation::shear_y:
      return affine_nearest(image, out, {1, 0, 0, step.value, 1, 0});
    case PolicyOperation::translate_x:
      return translate_x(image, out, whole_shift(step.value, image.width));
    case PolicyOperation::translate_y:
      return translate_y(image, out, whole_shift(step.value, image.height));
    case PolicyOperation::rotate:
      return rotate_nearest(image, out, step.value);
    case PolicyOperation::autocontrast:
      return autocontrast(image, out);
    case PolicyOperation::invert:
      return invert(image, out);
    case PolicyOperation::equalize:
      return equalize(image, out);
    case PolicyOperation::solarize:  // v < threshold stays, for a threshold that is no whole number
      return solarize(image, out, static_cast<int>(std::ceil(step.value)));
    case PolicyOperation::posterize:
      return posterize(image, out, static_cast<int>(step.value));
    case PolicyOperation::contrast:
      return contrast(image, out, step.value);
    case PolicyOperation::color:
      return color(image, out, step.value);
    case PolicyOperation::brightness:
      return brightness(image, out, step.value);
    case PolicyOperation::sharpness:
      return sharpness(image, out, step.value);
    case PolicyOperation::cutout:
      return cutout(image, out, step.x * image.width, step.y * image.height, step.value * image.width);
  }
}

}  // namespace noisymix

// Augmentation policies (AutoAugment and its relatives): of a list of sub-policies one is drawn for each
// image, and each of its operations is applied with its own probability.
//
// Draws for one image, from the blocks of its key: block 0 is the sub-policy; block k + 1 decides on its
// operation k: word 0 whether it is applied, word 1 its sign, words 2 and 3 the centre of a cutout. No draw
// moves another.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "augment/image.h"
#include "engine/key.h"

namespace noisymix {

enum class PolicyOperation {
  shear_x,
  shear_y,
  translate_x,
  translate_y,
  rotate,
  autocontrast,
  invert,
  equalize,
  solarize,
  posterize,
  contrast,
  color,
  brightness,
  sharpness,
  cutout
};
inline constexpr int kPolicyOperations = 15;

/// As policy files spell them: "ShearX", "AutoContrast", ...
const char* name_of(PolicyOperation operation);
std::optional<PolicyOperation> find_policy_operation(std::string_view name);
std::vector<std::string> policy_operation_names();

/// One operation of a sub-policy. It is applied with the value centre + swing or centre - swing, either sign
/// with probability 1/2: shear factor, share of the side to translate by, degrees, solarize threshold 0..256,
/// bits kept, blend factor, side of the cutout as a share of the image's width; nothing for autocontrast,
/// invert, equalize.
struct PolicyStep {
  PolicyOperation operation = PolicyOperation::autocontrast;
  double probability = 1;
  double centre = 0, swing = 0;
};

using SubPolicy = std::vector<PolicyStep>;
using Policy = std::vector<SubPolicy>;

inline constexpr std::size_t kLargestSubPolicy = 16;

/// Throws ConfigError naming the sub-policy: empty ones, probabilities outside [0, 1], values out of range.
void check_policy(const Policy& policy);

/// An operation that is applied, with the value it takes.
struct AppliedStep {
  PolicyOperation operation;
  double value;
  double x, y;  ///< centre of a cutout as a share of width and height
};

/// The draw for one image.
struct PolicyDraw {
  std::int64_t sub_policy = 0;
  std::vector<AppliedStep> steps;  ///< those that are applied
};

/// Draws into `draw`, whose memory is reused. The policy is not empty.
void draw_policy(const Policy& policy, Key key, PolicyDraw& draw);

/// Applies one operation by the nearest pixel, with black outside. `out` is another object than `image`.
void apply_step(const AppliedStep& step, const Image& image, Image& out);

}  // namespace noisymix

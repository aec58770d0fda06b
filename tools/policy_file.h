// Augmentation policies by name or from a file.
#pragma once

#include <filesystem>
#include <string>

#include "augment/policies/policy.h"

namespace noisymix {

/// Reads a JSON list of sub-policies, each a list of [operation, probability, level] with a level of 0..1 as
/// in fast_auto_augment_step(). Throws DataError of one line: file, sub-policy, what was expected, nearest
/// name.
Policy read_policy_file(const std::filesystem::path& path);

/// What views.policy means: "none" (empty), "cifar" or "imagenet" (AutoAugment), else the path of a policy
/// file. Throws ConfigError with the nearest name when there is no such file.
Policy find_policy(const std::string& name_or_path);

}  // namespace noisymix

#include "tools/evaluation/suites.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "engine/error.h"
#include "engine/nearest_name.h"

namespace noisymix {
namespace {

constexpr std::array<const char*, 6> kNames = {"clean", "corruptions", "sequences",
                                               "noise", "attacks",     "calibration"};

Suite suite_named(const std::string& name) {
  NM_CHECK_AS(ConfigError, !name.empty(),
              "--suite holds an empty name; known are clean, corruptions, sequences, noise, ",
              "attacks, calibration, separated by commas");
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (name == kNames[i]) return static_cast<Suite>(i);
  const std::string near = nearest_name(name, {kNames.begin(), kNames.end()});
  fail<ConfigError>("unknown suite '", name, "'", near.empty() ? "" : ", did you mean " + near + "?",
                    " (known: clean, corruptions, sequences, noise, attacks, calibration)");
}

/// "all" and "benchmark" are the first `all` and `benchmark` types; a type named twice counts once.
template <class Type, class Named>
std::vector<Type> types_named(const std::vector<std::string>& names, int all, int benchmark,
                              const Named& named) {
  std::vector<Type> types;
  const auto add = [&types](Type type) {
    if (std::find(types.begin(), types.end(), type) == types.end()) types.push_back(type);
  };
  for (const std::string& name : names) {
    if (name == "all" || name == "benchmark") {
      for (int i = 0; i < (name == "all" ? all : benchmark); ++i) add(static_cast<Type>(i));
    } else {
      add(named(name));
    }
  }
  std::sort(types.begin(), types.end());
  return types;
}

}  // namespace

const char* name_of(Suite suite) {
  return kNames[static_cast<std::size_t>(suite)];
}

std::vector<Suite> suites_named(const std::vector<std::string>& names) {
  NM_CHECK_AS(ConfigError, !names.empty(),
              "--suite expects at least one of clean, corruptions, sequences, noise, ",
              "attacks, calibration");
  std::vector<Suite> suites = {Suite::clean};
  for (const std::string& name : names) {
    if (name == "all") {
      for (int i = 0; i < static_cast<int>(kNames.size()); ++i) suites.push_back(static_cast<Suite>(i));
    } else {
      suites.push_back(suite_named(name));
    }
  }
  std::sort(suites.begin(), suites.end());
  suites.erase(std::unique(suites.begin(), suites.end()), suites.end());
  return suites;
}

std::vector<CorruptionType> corruptions_named(const std::vector<std::string>& names) {
  return types_named<CorruptionType>(names, kAllCorruptions, kBenchmarkCorruptions,
                                     [](const std::string& name) { return corruption_named(name); });
}

std::vector<SequenceType> sequences_named(const std::vector<std::string>& names) {
  return types_named<SequenceType>(names, kAllSequences, kBenchmarkSequences,
                                   [](const std::string& name) { return sequence_named(name); });
}

bool EvaluateOptions::has(Suite suite) const {
  return std::find(suites.begin(), suites.end(), suite) != suites.end();
}

std::string settings_of(const EvaluateOptions& options) {
  std::string text = options.corrupted_from.empty()
                         ? std::string("corrupted here")
                         : "corrupted by others: " +
                               std::filesystem::path(options.corrupted_from).lexically_normal().string();
  if (options.corruption_options.glass_swap) text += ", glass blur swaps";
  if (options.corruption_options.frost_pictures) text += ", pictures of frost";
  if (options.channels == SaltPepperChannels::all) text += ", salt & pepper on all channels";
  if (options.attacks.iterations != 7)
    text += ", PGD of " + std::to_string(options.attacks.iterations) + " steps";
  return text;
}

ParameterSet parameters_for(int side) {
  return side <= 48    ? ParameterSet::cifar
         : side <= 128 ? ParameterSet::tiny_imagenet
                       : ParameterSet::imagenet;
}

}  // namespace noisymix

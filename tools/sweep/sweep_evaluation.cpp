#include "tools/sweep/sweep_evaluation.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "data/content_hash.h"
#include "data/registry.h"
#include "engine/error.h"

namespace noisymix {
namespace {

std::string word(int value) {
  return std::to_string(value);
}
/// The fewest digits that read back the same.
std::string word(double value) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  return {digits, end};
}
std::string word(Suite suite) {
  return name_of(suite);
}
std::string word(CorruptionType type) {
  return name_of(type);
}
std::string word(SequenceType type) {
  return name_of(type);
}

template <class T>
std::string commas(const std::vector<T>& values) {
  std::string text;
  for (const T& value : values) text += (text.empty() ? "" : ",") + word(value);
  return text;
}

std::vector<CorruptionType> types_of(const EvaluateOptions& options) {
  return options.corruptions.empty() ? corruptions_named({"benchmark"}) : options.corruptions;
}

std::vector<SequenceType> sequences_of(const EvaluateOptions& options) {
  return options.sequences.empty() ? sequences_named({"benchmark"}) : options.sequences;
}

/// The cells asked for; `count` of each is the most examples it may have, 0 for all.
std::vector<Cell> wanted_cells(const EvaluateOptions& options, bool images) {
  std::vector<Cell> cells;
  const auto add = [&](const char* suite, const char* type, int severity, double level,
                       std::int64_t limit = 0) {
    Cell cell;
    cell.suite = suite, cell.type = type, cell.severity = severity, cell.level = level, cell.count = limit;
    cells.push_back(std::move(cell));
  };
  add("clean", "clean", 0, 0);
  if (options.has(Suite::noise)) {
    for (const double level : options.white_noise) add("noise", "white_noise", 0, level);
    for (const double level : options.salt_pepper)
      if (images) add("noise", "salt_pepper", 0, level);
  }
  if (options.has(Suite::corruptions) || options.has(Suite::calibration)) {
    for (const CorruptionType type : types_of(options))
      for (const int severity : options.severities) add("corruptions", name_of(type), severity, 0);
  }
  if (options.has(Suite::attacks)) {
    const AttackLevels& attacks = options.attacks;
    for (const double level : attacks.fgsm) add("attacks", "fgsm", 0, level, options.attack_limit);
    for (const double level : attacks.pgd_linf) add("attacks", "pgd_linf", 0, level, options.attack_limit);
    for (const double level : attacks.pgd_l2) add("attacks", "pgd_l2", 0, level, options.attack_limit);
  }
  return cells;
}

bool wants_sequence(const EvaluateOptions& options, const SequenceScores& scores) {
  if (!options.has(Suite::sequences)) return false;
  const auto types = sequences_of(options);
  const bool type = std::ranges::any_of(types, [&](SequenceType t) { return scores.type == name_of(t); });
  return type && std::ranges::find(options.difficulties, scores.difficulty) != options.difficulties.end();
}

/// Examples of a cell that takes at most `limit` of them.
std::int64_t limited(std::int64_t size, std::int64_t limit) {
  return limit > 0 ? std::min(size, limit) : size;
}

ParameterSet constants_of(const SweepEvaluation& evaluation, int side) {
  return evaluation.constants.empty() ? parameters_for(side) : parameter_set_named(evaluation.constants);
}

bool has_sequences(const EvaluationResults& results, const EvaluateOptions& options, std::int64_t size) {
  if (!options.has(Suite::sequences)) return true;
  for (const SequenceType type : sequences_of(options)) {
    for (const int difficulty : options.difficulties) {
      const SequenceScores* scores = results.find_sequence(name_of(type), difficulty);
      if (scores == nullptr || (size > 0 && scores->count != limited(size, options.sequence_limit)))
        return false;
    }
  }
  return true;
}

}  // namespace

std::vector<std::string> evaluation_words(const SweepEvaluation& evaluation) {
  const EvaluateOptions& options = evaluation.options;
  std::vector<std::string> words = {"--suite", commas(options.suites)};
  const auto add = [&](const char* option, const std::string& value) {
    if (!value.empty()) words.insert(words.end(), {option, value});
  };
  add("--types", commas(options.corruptions));
  add("--severities", commas(options.severities));
  add("--sequences", commas(options.sequences));
  add("--difficulties", commas(options.difficulties));
  add("--white-noise", commas(options.white_noise));
  add("--salt-pepper", commas(options.salt_pepper));
  add("--channels", options.channels == SaltPepperChannels::all ? "all" : "red");
  add("--fgsm", commas(options.attacks.fgsm));
  add("--pgd-linf", commas(options.attacks.pgd_linf));
  add("--pgd-l2", commas(options.attacks.pgd_l2));
  add("--pgd-iterations", std::to_string(options.attacks.iterations));
  add("--attack-limit", std::to_string(options.attack_limit));
  add("--sequence-limit", std::to_string(options.sequence_limit));
  add("--constants", evaluation.constants);
  add("--seed", std::to_string(options.seed));
  add("--batch", std::to_string(options.batch));
  if (evaluation.test_limit > 0) add("--limit", std::to_string(evaluation.test_limit));
  if (options.corruption_options.glass_swap) words.emplace_back("--glass-swap");
  return words;
}

TestSetFacts test_set_facts(const DataConfig& data, const SweepEvaluation& evaluation) {
  DatasetOptions wanted;
  wanted.name = data.name;
  wanted.path = data.path;
  wanted.train = false;
  wanted.seed = data.seed;
  wanted.limit = evaluation.test_limit > 0 ? evaluation.test_limit : data.test_limit;
  wanted.image_size = data.image_size;
  const auto set = open_dataset(wanted);
  const auto shape = set->sample_shape();
  TestSetFacts facts;
  facts.images = shape.size() == 3;
  facts.side = facts.images ? static_cast<int>(shape[0]) : 0;
  facts.size = set->size();
  facts.hash = hash_dataset(*set);
  return facts;
}

EvaluationResults restricted(const EvaluationResults& results, const SweepEvaluation& evaluation) {
  EvaluationResults chosen = results;
  const std::vector<Cell> wanted = wanted_cells(evaluation.options, true);
  std::erase_if(chosen.cells, [&](const Cell& cell) {
    return std::ranges::none_of(wanted, [&](const Cell& place) { return place.same_place(cell); });
  });
  std::erase_if(chosen.sequences,
                [&](const SequenceScores& scores) { return !wants_sequence(evaluation.options, scores); });
  return chosen;
}

bool is_complete(const EvaluationResults& results, const SweepEvaluation& evaluation,
                 const std::string& weights_hash, const std::optional<TestSetFacts>& data) {
  const EvaluateOptions& options = evaluation.options;
  if (results.weights_hash != weights_hash || results.evaluation_seed != options.seed ||
      results.settings != settings_of(options))
    return false;
  if (data && (results.data_hash != data->hash ||
               results.parameter_set != name_of(constants_of(evaluation, data->side))))
    return false;
  const std::int64_t size = data ? data->size : 0;
  for (const Cell& place : wanted_cells(options, !data || data->images)) {
    const Cell* cell = results.find(place.suite, place.type, place.severity, place.level);
    if (cell == nullptr || (size > 0 && cell->count != limited(size, place.count))) return false;
  }
  return has_sequences(results, options, size);
}

}  // namespace noisymix

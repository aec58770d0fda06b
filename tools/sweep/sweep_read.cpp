// From the text of a sweep to its rows, collecting every mistake before giving up.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "data/file_bytes.h"
#include "engine/error.h"
#include "engine/nearest_name.h"
#include "tools/ready_configs.h"
#include "tools/sweep/ready_sweeps.h"
#include "tools/sweep/sweep_columns.h"
#include "tools/sweep/sweep_file.h"
#include "tools/sweep/toml_section.h"

namespace noisymix {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostRows = 1000, kMostRuns = 10000, kLongestLabel = 200;
constexpr double kLargest = 1e9;  // far above any sensible level

/// What a function refuses to take, as the text of its ConfigError.
template <class Function>
std::string refusal(const Function& function) {
  try {
    function();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

std::string check_label(const std::string& text) {
  if (text.empty()) return "must not be empty";
  if (text.size() > kLongestLabel) return "longer than " + std::to_string(kLongestLabel) + " characters";
  const bool control = std::any_of(text.begin(), text.end(),
                                   [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  return control ? "must be one line without control characters" : "";
}

std::vector<std::string> joined(std::vector<std::string> first, const std::vector<std::string>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// Overrides may not choose the seed: it comes from the list.
bool sets_seed(const std::string& override_text) {
  return override_text.starts_with("train.seed=");
}

class Reader {
 public:
  Reader(std::string name, fs::path folder, const std::vector<std::string>& overrides)
      : name_(std::move(name)), folder_(std::move(folder)), overrides_(overrides), problems_(name_) {}

  Sweep read(const std::string& text) {
    sweep_.name = fs::path(name_).stem().string();
    if (const auto wrong = refuse_toml(text)) {
      problems_.add(wrong->line, 1, wrong->text);
    } else {
      try {
        const toml::table table = toml::parse(text, name_);
        read_table(table);
      } catch (const toml::parse_error& error) {
        problems_.add(error.source(), "not valid TOML: " + toml_syntax_message(error));
      }
    }
    problems_.finish();
    return std::move(sweep_);
  }

 private:
  void read_table(const toml::table& table);
  void read_seeds(TomlSection& top);
  void read_evaluation(const toml::table& table);
  void read_levels(TomlSection& section);
  void read_columns(TomlSection& top);
  void read_row(const toml::table& table, std::size_t number);
  void read_paper(const toml::table& table, SweepRow& row, const std::string& place);
  bool read_config(SweepRow& row, const std::string& config, const std::vector<std::string>& set,
                   const toml::table& table, const std::string& place);
  ConfigSource find(const std::string& config) const;
  void check_set(TomlSection& section, std::vector<std::string>& set);
  void check_folders();

  std::string name_;
  fs::path folder_;
  const std::vector<std::string>& overrides_;
  TomlProblems problems_;
  Sweep sweep_;
  std::vector<std::string> set_;             // for every row
  std::vector<toml::source_region> places_;  // of the rows
};

void Reader::read_table(const toml::table& table) {
  TomlSection top(problems_, table, "");
  if (!top.text("title", sweep_.title, check_label) && !table.contains("title")) sweep_.title = sweep_.name;
  read_seeds(top);
  check_set(top, set_);
  if (const toml::table* evaluate = top.section("evaluate")) read_evaluation(*evaluate);
  read_columns(top);
  const toml::array* rows = top.sections("row");
  if (rows != nullptr && rows->size() > kMostRows) {
    top.report("row", "more than " + std::to_string(kMostRows) + " of them");
  } else if (rows != nullptr) {
    std::size_t number = 0;
    for (const toml::node& row : *rows) {
      if (!problems_.full()) read_row(*row.as_table(), ++number);
    }
  } else if (!table.contains("row")) {
    problems_.add(0, 0, "no rows: a sweep has at least one [[row]] with config = \"...\"");
  }
  top.finish();
  if (sweep_.rows.size() * sweep_.seeds.size() > kMostRuns)
    problems_.add(0, 0, "more than " + std::to_string(kMostRuns) + " runs");
  check_folders();
}

void Reader::read_seeds(TomlSection& top) {
  std::vector<std::int64_t> seeds = {1};
  top.integers("seeds", seeds, 0, std::numeric_limits<std::int64_t>::max());
  std::set<std::int64_t> seen;
  for (const std::int64_t seed : seeds) {
    if (!seen.insert(seed).second) top.report("seeds", std::to_string(seed) + " appears twice");
    sweep_.seeds.push_back(static_cast<std::uint64_t>(seed));
  }
}

/// Whether keys and values are right, only a configuration can tell; here is checked what no row may have.
void Reader::check_set(TomlSection& section, std::vector<std::string>& set) {
  if (!section.texts("set", set)) return;
  if (std::any_of(set.begin(), set.end(), sets_seed))
    section.report("set", "train.seed is set by seeds = [...]");
}

void Reader::read_evaluation(const toml::table& table) {
  TomlSection section(problems_, table, "evaluate");
  EvaluateOptions& options = sweep_.evaluation.options;
  std::vector<std::string> names;
  const auto named = [&](const char* key, const auto& parse) {
    if (!section.texts(key, names)) return;
    const std::string wrong = refusal([&] { parse(names); });
    if (!wrong.empty()) section.report(key, wrong);
  };
  named("suites", [&](const auto& list) { options.suites = suites_named(list); });
  named("types", [&](const auto& list) { options.corruptions = corruptions_named(list); });
  named("sequences", [&](const auto& list) { options.sequences = sequences_named(list); });
  constexpr std::int64_t kMost = 1'000'000'000;
  section.integer("test_limit", sweep_.evaluation.test_limit, 0, kMost);
  section.integer("sequence_limit", options.sequence_limit, 0, kMost);
  section.integer("attack_limit", options.attack_limit, 0, kMost);
  section.integer("batch", options.batch, 1, 65536);
  std::int64_t seed = 0;
  if (section.integer("seed", seed, 0, std::numeric_limits<std::int64_t>::max()))
    options.seed = static_cast<std::uint64_t>(seed);
  section.boolean("glass_swap", options.corruption_options.glass_swap);
  section.text("constants", sweep_.evaluation.constants,
               [](const std::string& set) { return refusal([&] { (void)parameter_set_named(set); }); });
  read_levels(section);
  section.finish();
}

void Reader::read_levels(TomlSection& section) {
  EvaluateOptions& options = sweep_.evaluation.options;
  const auto ranks = [&](const char* key, std::vector<int>& out, int high) {
    std::vector<std::int64_t> values;
    if (!section.integers(key, values, 1, high)) return;
    const std::set<std::int64_t> sorted(values.begin(), values.end());
    out.clear();
    for (const std::int64_t value : sorted) out.push_back(static_cast<int>(value));
  };
  ranks("severities", options.severities, kSeverities);
  ranks("difficulties", options.difficulties, 3);
  section.numbers("white_noise", options.white_noise, 0, kLargest);
  section.numbers("salt_pepper", options.salt_pepper, 0, 1);
  section.numbers("fgsm", options.attacks.fgsm, 0, kLargest);
  section.numbers("pgd_linf", options.attacks.pgd_linf, 0, kLargest);
  section.numbers("pgd_l2", options.attacks.pgd_l2, 0, kLargest);
  std::int64_t iterations = options.attacks.iterations;
  if (section.integer("pgd_iterations", iterations, 1, 10000))
    options.attacks.iterations = static_cast<int>(iterations);
  std::string channels;
  section.text("channels", channels, [&](const std::string& text) {
    return text == "red" || text == "all" ? "" : "expected \"red\" or \"all\"";
  });
  if (channels == "all") options.channels = SaltPepperChannels::all;
}

void Reader::read_columns(TomlSection& top) {
  if (!top.texts("columns", sweep_.columns)) return;
  std::vector<std::string> known;
  for (const SweepColumn& column : possible_columns(sweep_.evaluation.options)) known.push_back(column.key);
  std::set<std::string> seen;
  for (const std::string& key : sweep_.columns) {
    if (!seen.insert(key).second) top.report("columns", printable(key) + " appears twice");
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string near = key.size() > 100 ? "" : nearest_name(key, known);
    top.report("columns", "[evaluate] gives no column " + printable(key) +
                              (near.empty() ? "" : "; did you mean " + near + "?"));
  }
}

void Reader::read_row(const toml::table& table, std::size_t number) {
  TomlSection section(problems_, table, "row");
  const std::string place = "row " + std::to_string(number);
  SweepRow row;
  std::string config;
  std::vector<std::string> set;
  section.text("config", config);
  const bool labelled = section.text("label", row.label, check_label);
  section.text("group", row.group, check_label);
  check_set(section, set);
  if (const toml::table* paper = section.section("paper")) read_paper(*paper, row, place);
  section.finish();
  if (!table.contains("config"))
    problems_.add(table.source(), place + ": no config; name a ready configuration or a TOML file");
  if (config.empty() || !read_config(row, config, set, table, place)) return;
  const std::string stem = fs::path(config).stem().string();
  if (row.label.empty())
    row.label = row.config.title.empty() ? stem : printable(row.config.title, kLongestLabel);
  if (labelled) row.config.title = (row.group.empty() ? "" : row.group + ", ") + row.label;
  row.folder = folder_name(labelled ? (row.group.empty() ? "" : row.group + " ") + row.label : stem);
  sweep_.rows.push_back(std::move(row));
  places_.push_back(table.source());
}

ConfigSource Reader::find(const std::string& config) const {
  const bool file_meant = config.find('/') != std::string::npos || config.ends_with(".toml");
  if (!file_meant) {
    for (const ReadyConfig& ready : ready_configs())
      if (ready.name == config) return {config, config, std::string(ready.text), false};
  }
  return find_config(file_meant ? (folder_ / config).string() : config);
}

bool Reader::read_config(SweepRow& row, const std::string& config, const std::vector<std::string>& set,
                         const toml::table& table, const std::string& place) {
  const std::string wrong = refusal([&] {
    const ConfigSource source = find(config);
    const auto all = joined(joined(set_, set), overrides_);
    row.config = source.is_file ? load_config(source.name, all) : parse_config(source.name, source.text, all);
  });
  for (std::size_t start = 0; start < wrong.size();) {  // one line for each mistake
    const std::size_t end = std::min(wrong.find('\n', start), wrong.size());
    problems_.add(table.source(), place + ": " + wrong.substr(start, end - start));
    start = end + 1;
  }
  return wrong.empty();
}

void Reader::read_paper(const toml::table& table, SweepRow& row, const std::string& place) {
  std::vector<std::string> known = sweep_.columns;
  if (known.empty()) {
    for (const SweepColumn& column : default_columns(sweep_.evaluation.options)) known.push_back(column.key);
  }
  for (const auto& [toml_key, node] : table) {
    const std::string key(toml_key.str());
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      const std::string near = key.size() > 100 ? "" : nearest_name(key, known);
      std::string hint = near.empty() ? "" : "; did you mean \"" + near + "\"?";
      if (node.is_table()) hint = "; names with a dot stand in quotes";
      problems_.add(toml_key.source(), place + ": paper: the table has no column " + printable(key) + hint);
      continue;
    }
    const auto value = node.value<double>();
    if (!node.is_number() || !value || !std::isfinite(*value)) {
      problems_.add(toml_key.source(),
                    place + ": paper." + key + ": expected a number, got " + describe_toml(node));
      continue;
    }
    row.paper.emplace_back(key, *value);
  }
}

void Reader::check_folders() {
  std::map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < sweep_.rows.size(); ++i) {
    const SweepRow& row = sweep_.rows[i];
    const auto [earlier, fresh] = seen.emplace(row.folder, i);
    if (!fresh)
      problems_.add(places_[i], "the runs of \"" + row.label + "\" would lie in the folder of \"" +
                                    sweep_.rows[earlier->second].label + "\" (" + row.folder +
                                    "); give the row another label");
  }
}

}  // namespace

Sweep parse_sweep(const std::string& name, const std::string& text, const fs::path& folder,
                  const std::vector<std::string>& overrides) {
  for (const std::string& override_text : overrides)
    NM_CHECK_AS(ConfigError, !sets_seed(override_text), "--set ", printable(override_text),
                ": seeds belong to the sweep's file, seeds = [...]");
  return Reader(name, folder, overrides).read(text);
}

Sweep load_sweep(const std::string& path_or_name, const std::vector<std::string>& overrides) {
  const fs::path path(path_or_name);
  std::error_code ignored;
  if (fs::is_regular_file(path, ignored))
    return parse_sweep(path_or_name, read_toml_file(path_or_name), path.parent_path(), overrides);
  std::vector<std::string> names;
  for (const ReadySweep& ready : ready_sweeps()) {
    const std::string name(ready.name);
    if (path_or_name == name || "papers/" + path_or_name == name)
      return parse_sweep(name, std::string(ready.text), "", overrides);
    names.push_back(name);
  }
  const std::string near = nearest_name(path_or_name.substr(0, 100), names);
  fail<ConfigError>("no file or ready sweep '", printable(path_or_name, 80), "'",
                    near.empty() ? "; `noisymix sweep --list` shows them" : "; did you mean " + near + "?");
}

std::vector<std::size_t> chosen_rows(const Sweep& sweep, const std::vector<std::string>& labels) {
  std::vector<bool> chosen(sweep.rows.size(), labels.empty());
  std::vector<std::string> known;
  for (const SweepRow& row : sweep.rows) known.insert(known.end(), {row.label, row.folder});
  for (const std::string& label : labels) {
    bool found = false;
    for (std::size_t i = 0; i < sweep.rows.size(); ++i) {
      if (sweep.rows[i].label != label && sweep.rows[i].folder != label) continue;
      chosen[i] = found = true;
    }
    const std::string near = found ? "" : nearest_name(label.substr(0, 100), known);
    NM_CHECK_AS(ConfigError, found, "no row '", printable(label), "' in this sweep",
                near.empty() ? "" : "; did you mean '" + near + "'?");
  }
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < chosen.size(); ++i)
    if (chosen[i]) rows.push_back(i);
  return rows;
}

std::string folder_name(const std::string& text) {
  constexpr std::size_t kLongest = 80;
  std::string name;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.';
    const bool capital = c >= 'A' && c <= 'Z';
    if (letter || capital) {
      name += capital ? static_cast<char>(c - 'A' + 'a') : c;
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  name.resize(std::min(name.size(), kLongest));
  while (!name.empty() && (name.back() == '-' || name.back() == '.')) name.pop_back();
  name.erase(0, std::min(name.find_first_not_of("-."), name.size()));
  return name.empty() ? "row" : name;
}

}  // namespace noisymix

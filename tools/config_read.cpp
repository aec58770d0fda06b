// From TOML and --set to Config, collecting every mistake before giving up.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "engine/error.h"
#include "engine/nearest_name.h"
#include "tools/schema.h"
#include "tools/toml_text.h"

namespace noisymix {
namespace {

constexpr std::size_t kMaxProblems = 50;

// A mistake in the file; line 0 when it has no place there.
struct Problem {
  std::uint32_t line = 0, column = 0;
  std::string text;
};

struct Place {
  std::uint32_t line = 0, column = 0;
  std::string override_text;  // the whole "--set key=value" when the value came from the command line
};

std::string with_article(const std::string& type) {
  if (type == "text" || type == "true or false") return type;
  return (type == "integer" ? "an " : "a ") + type;
}

std::optional<std::vector<std::int64_t>> integers(const toml::node& node) {
  const toml::array* array = node.as_array();
  if (!array) return std::nullopt;
  std::vector<std::int64_t> values;
  for (const toml::node& entry : *array) {
    if (!entry.is_integer()) return std::nullopt;
    values.push_back(entry.as_integer()->get());
  }
  return values;
}

// The node as the kind of value this key takes.
std::optional<ConfigValue> convert(const ConfigKey& key, const toml::node& node) {
  const ConfigValue sample = key.default_value();
  if (std::holds_alternative<bool>(sample) && node.is_boolean()) return node.as_boolean()->get();
  if (std::holds_alternative<std::int64_t>(sample) && node.is_integer()) return node.as_integer()->get();
  if (std::holds_alternative<std::string>(sample) && node.is_string()) return node.as_string()->get();
  if (std::holds_alternative<double>(sample) && node.is_floating_point())
    return node.as_floating_point()->get();
  if (std::holds_alternative<double>(sample) && node.is_integer()) {
    return static_cast<double>(node.as_integer()->get());
  }
  if (std::holds_alternative<std::vector<std::int64_t>>(sample)) {
    if (auto values = integers(node)) return ConfigValue(std::move(*values));
  }
  return std::nullopt;
}

std::string range_message(const ConfigRange& range, const std::string& got) {
  const std::string text = range.str();
  if (text.empty()) return "must be a finite number, got " + got;
  const bool relation = text.front() == '>' || text.front() == '<';
  return (relation ? "must be " : "must be in ") + text + ", got " + got;
}

// What is wrong with a value of the right type, or empty.
std::string check_value(const ConfigKey& key, const ConfigValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    if (key.choices.empty() || std::find(key.choices.begin(), key.choices.end(), *text) != key.choices.end())
      return "";
    const std::string near = nearest_name(text->substr(0, 100), key.choices);
    return "no such choice: " + format_value(text->substr(0, 40)) +
           (near.empty() ? "; " : "; did you mean " + format_value(near) + "? ") + "Expected one of " +
           key.allowed();
  }
  std::vector<double> numbers;
  if (const auto* integer = std::get_if<std::int64_t>(&value)) numbers = {static_cast<double>(*integer)};
  if (const auto* number = std::get_if<double>(&value)) numbers = {*number};
  if (const auto* list = std::get_if<std::vector<std::int64_t>>(&value))
    numbers.assign(list->begin(), list->end());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (key.range.contains(numbers[i])) continue;
    const auto* list = std::get_if<std::vector<std::int64_t>>(&value);
    return range_message(key.range, list ? std::to_string((*list)[i]) : format_value(value));
  }
  return "";
}

class Reader {
 public:
  explicit Reader(std::string name) : name_(std::move(name)) {}

  void read_text(const std::string& text) {
    if (!check_text(text)) return;
    try {
      const toml::table table = toml::parse(text, name_);
      read_table(table, "");
    } catch (const toml::parse_error& error) {
      report(error.source().begin.line, error.source().begin.column,
             "not valid TOML: " + toml_syntax_message(error));
    }
    std::stable_sort(problems_.begin(), problems_.end(), [](const Problem& a, const Problem& b) {
      return std::pair(a.line, a.column) < std::pair(b.line, b.column);
    });
  }

  void read_override(const std::string& text) {
    const Place place{0, 0, "--set " + text};
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return report(place, "expected key=value, for example --set train.epochs=10");
    }
    const std::string path = text.substr(0, equals), value = text.substr(equals + 1);
    const ConfigKey* key = find_config_key(path);
    if (!key) return report(place, unknown_key(path));
    // Quotes are a nuisance on a command line, so texts may go without.
    const bool bare_text =
        std::holds_alternative<std::string>(key->default_value()) && value.find_first_of("\"'") != 0;
    if (bare_text) return set(*key, toml::value<std::string>(value), place);
    try {
      const toml::table table = toml::parse("value = " + value + "\n");
      if (table.size() == 1) return set(*key, *table.get("value"), place);
    } catch (const toml::parse_error&) {
    }
    failed_.insert(path);
    report(place, "expected " + with_article(key->type_name()));
  }

  // The settings, or one ConfigError with all problems.
  Config finish() {
    for (const ConfigConflict& conflict : find_conflicts(config_)) {
      const auto wrong = [this](const std::string& key) { return failed_.count(key) > 0; };
      // A setting that could not be read still has its default; conflicts with that would only confuse.
      if (std::any_of(conflict.keys.begin(), conflict.keys.end(), wrong) || unreadable_) continue;
      report(place_of(conflict.keys), conflict.keys.front() + ": " + conflict.message);
    }
    if (problems_.empty()) return std::move(config_);
    std::string message;
    for (std::size_t i = 0; i < std::min(problems_.size(), kMaxProblems); ++i) {
      message += (i ? "\n" : "") + problems_[i].text;
    }
    if (problems_.size() > kMaxProblems) message += "\n" + name_ + ": and more";
    throw ConfigError(message);
  }

 private:
  // Refuses text that is no configuration, before the parser sees it.
  bool check_text(const std::string& text) {
    const auto refusal = refuse_toml(text);
    unreadable_ = refusal.has_value();
    if (refusal) report(refusal->line, 1, refusal->text);
    return !unreadable_;
  }

  void read_table(const toml::table& table, const std::string& section) {
    for (const auto& [toml_key, node] : table) {
      if (problems_.size() > kMaxProblems) return;
      const std::string name(toml_key.str()), path = section.empty() ? name : section + '.' + name;
      const toml::source_position at = toml_key.source().begin;
      const Place place{at.line, at.column, ""};
      const bool is_section = section.empty() && !names_in_section(name).empty();
      if (const ConfigKey* key = find_config_key(path)) {
        set(*key, node, place);
      } else if (is_section && node.is_table()) {
        read_table(*node.as_table(), name);
      } else if (is_section) {
        report(place, name + ": expected the section [" + name + "], got " + describe_toml(node));
      } else {
        report(place, node.is_table() ? unknown_section(path) : unknown_key(path));
      }
    }
  }

  void set(const ConfigKey& key, const toml::node& node, const Place& place) {
    places_[key.path] = place;
    const auto value = convert(key, node);
    std::string message = value
                              ? check_value(key, *value)
                              : "expected " + with_article(key.type_name()) + ", got " + describe_toml(node);
    if (message.empty()) {
      key.write(config_, *value);
      failed_.erase(key.path);
    } else {
      failed_.insert(key.path);
      report(place, key.path + ": " + message);
    }
  }

  static std::string unknown_key(const std::string& path) {
    const std::string near = nearest_config_key(path);
    if (!near.empty()) return "unknown key " + path + "; did you mean " + near + "?";
    const std::string section = path.substr(0, path.find('.'));
    std::string names;
    for (const std::string& name : names_in_section(section)) names += (names.empty() ? "" : ", ") + name;
    return "unknown key " + path.substr(0, 80) +
           (names.empty() ? "; `noisymix config explain` lists all keys"
                          : "; [" + section + "] has " + names);
  }

  static std::string unknown_section(const std::string& path) {
    std::vector<std::string> names;
    for (const auto& section : config_sections()) names.push_back(section.first);
    const std::string near = path.size() > 100 ? "" : nearest_name(path, names);
    return "unknown section [" + path.substr(0, 80) + "]" +
           (near.empty() ? "" : "; did you mean [" + near + "]?");
  }

  Place place_of(const std::vector<std::string>& keys) const {
    for (const std::string& key : keys) {
      if (const auto found = places_.find(key); found != places_.end()) return found->second;
    }
    return {};
  }

  void report(const Place& place, const std::string& text) {
    if (place.override_text.empty()) return report(place.line, place.column, text);
    problems_.push_back({0xFFFFFFFFu, 0, place.override_text.substr(0, 120) + ": " + text});
  }

  void report(std::uint32_t line, std::uint32_t column, const std::string& text) {
    const std::string where =
        line == 0 ? name_ : name_ + ":" + std::to_string(line) + ":" + std::to_string(column);
    problems_.push_back({line, column, where + ": " + text});
  }

  std::string name_;
  Config config_;
  std::vector<Problem> problems_;
  std::map<std::string, Place> places_;  // where each key was last set
  std::set<std::string> failed_;         // keys whose value could not be used
  bool unreadable_ = false;
};

}  // namespace

Config parse_config(const std::string& name, const std::string& text,
                    const std::vector<std::string>& overrides) {
  Reader reader(name);
  reader.read_text(text);
  for (const std::string& override_text : overrides) reader.read_override(override_text);
  return reader.finish();
}

Config load_config(const std::string& path, const std::vector<std::string>& overrides) {
  return parse_config(path, read_toml_file(path), overrides);
}

}  // namespace noisymix

#include "tools/sweep/toml_section.h"

#include <algorithm>

#include "data/file_bytes.h"
#include "engine/error.h"
#include "engine/nearest_name.h"
#include "tools/schema.h"

namespace noisymix {
namespace {

std::string range_text(double low, double high) {
  return format_value(low) + " .. " + format_value(high);
}

}  // namespace

void TomlProblems::add(std::uint32_t line, std::uint32_t column, const std::string& text) {
  if (problems_.size() <= kMost) problems_.push_back({line, column, text});
}

void TomlProblems::finish() {
  if (problems_.empty()) return;
  std::stable_sort(problems_.begin(), problems_.end(), [](const Problem& a, const Problem& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
  std::string message;
  for (std::size_t i = 0; i < std::min(problems_.size(), kMost); ++i) {
    const Problem& problem = problems_[i];
    message += (i > 0 ? "\n" : "") + file_;
    if (problem.line > 0)
      message += ":" + std::to_string(problem.line) + ":" + std::to_string(problem.column);
    message += ": " + problem.text;
  }
  if (problems_.size() > kMost) message += "\n" + file_ + ": and more";
  throw ConfigError(message);
}

const toml::node* TomlSection::find(const char* key) {
  asked_.insert(key);
  return table_.get(key);
}

void TomlSection::report(const char* key, const std::string& text) {
  const auto found = table_.find(key);
  const toml::source_region& at = found == table_.end() ? table_.source() : found->first.source();
  problems_.add(at, path(key) + ": " + text);
}

void TomlSection::expected(const char* key, const std::string& what, const toml::node& got) {
  report(key, "expected " + what + ", got " + describe_toml(got));
}

bool TomlSection::text(const char* key, std::string& out, const Check<std::string>& check) {
  const toml::node* node = find(key);
  if (node == nullptr) return false;
  if (!node->is_string()) return expected(key, "text", *node), false;
  const std::string& value = node->as_string()->get();
  const std::string wrong = check ? check(value) : "";
  if (!wrong.empty()) return report(key, wrong), false;
  out = value;
  return true;
}

bool TomlSection::boolean(const char* key, bool& out) {
  const toml::node* node = find(key);
  if (node == nullptr) return false;
  if (!node->is_boolean()) return expected(key, "true or false", *node), false;
  out = node->as_boolean()->get();
  return true;
}

bool TomlSection::integer(const char* key, std::int64_t& out, std::int64_t low, std::int64_t high) {
  const toml::node* node = find(key);
  if (node == nullptr) return false;
  const std::string what = "an integer in " + std::to_string(low) + " .. " + std::to_string(high);
  if (!node->is_integer()) return expected(key, what, *node), false;
  const std::int64_t value = node->as_integer()->get();
  if (value < low || value > high) return expected(key, what, *node), false;
  out = value;
  return true;
}

const toml::array* TomlSection::list(const char* key, const std::string& of) {
  const toml::node* node = find(key);
  if (node == nullptr) return nullptr;
  const toml::array* array = node->as_array();
  if (array == nullptr) return expected(key, "a list of " + of, *node), nullptr;
  if (array->empty()) return report(key, "expected a list of " + of + ", got an empty one"), nullptr;
  return array;
}

bool TomlSection::texts(const char* key, std::vector<std::string>& out) {
  const toml::array* array = list(key, "texts");
  if (array == nullptr) return false;
  std::vector<std::string> values;
  for (const toml::node& node : *array) {
    if (!node.is_string()) return expected(key, "a list of texts", node), false;
    values.push_back(node.as_string()->get());
  }
  out = std::move(values);
  return true;
}

bool TomlSection::integers(const char* key, std::vector<std::int64_t>& out, std::int64_t low,
                           std::int64_t high) {
  const std::string of = "integers in " + std::to_string(low) + " .. " + std::to_string(high);
  const toml::array* array = list(key, of);
  if (array == nullptr) return false;
  std::vector<std::int64_t> values;
  for (const toml::node& node : *array) {
    const bool good =
        node.is_integer() && node.as_integer()->get() >= low && node.as_integer()->get() <= high;
    if (!good) return expected(key, "a list of " + of, node), false;
    values.push_back(node.as_integer()->get());
  }
  out = std::move(values);
  return true;
}

bool TomlSection::numbers(const char* key, std::vector<double>& out, double low, double high) {
  const std::string of = "numbers in " + range_text(low, high);
  const toml::array* array = list(key, of);
  if (array == nullptr) return false;
  std::vector<double> values;
  for (const toml::node& node : *array) {
    const auto value = node.value<double>();
    // The comparisons are false for NaN.
    if (!node.is_number() || !value || !(*value >= low && *value <= high))
      return expected(key, "a list of " + of, node), false;
    values.push_back(*value);
  }
  out = std::move(values);
  return true;
}

const toml::table* TomlSection::section(const char* key) {
  const toml::node* node = find(key);
  if (node == nullptr) return nullptr;
  if (!node->is_table()) expected(key, "a section", *node);
  return node->as_table();
}

const toml::array* TomlSection::sections(const char* key) {
  const toml::node* node = find(key);
  if (node == nullptr) return nullptr;
  const toml::array* array = node->as_array();
  if (array == nullptr || !array->is_homogeneous(toml::node_type::table)) {
    expected(key, "sections [[" + path(key) + "]]", *node);
    return nullptr;
  }
  return array;
}

void TomlSection::finish() {
  for (const auto& [key, node] : table_) {
    const std::string name(key.str());
    if (asked_.contains(name)) continue;
    const std::string near = name.size() > 100 ? "" : nearest_name(name, {asked_.begin(), asked_.end()});
    problems_.add(key.source(), "unknown key " + printable(path(name)) +
                                    (near.empty() ? "" : "; did you mean " + path(near) + "?"));
  }
}

}  // namespace noisymix

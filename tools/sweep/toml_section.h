// One table of a TOML file, read key by key: every mistake is noted with its place, unknown keys included.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "tools/toml_text.h"

namespace noisymix {

/// Mistakes of a file, to be thrown together.
class TomlProblems {
 public:
  explicit TomlProblems(std::string file) : file_(std::move(file)) {}
  void add(std::uint32_t line, std::uint32_t column, const std::string& text);
  void add(const toml::source_region& at, const std::string& text) {
    add(at.begin.line, at.begin.column, text);
  }
  bool empty() const { return problems_.empty(); }
  bool full() const { return problems_.size() >= kMost; }
  /// Throws ConfigError with all of them, one a line in the order of the file, when there are any.
  void finish();

 private:
  static constexpr std::size_t kMost = 50;
  struct Problem {
    std::uint32_t line, column;
    std::string text;
  };
  std::string file_;
  std::vector<Problem> problems_;
};

/// Readers leave `out` alone when the key is absent, and note a mistake when its value is of another type or
/// refused: `check` returns what is wrong with a value, or an empty text. They return whether a good value
/// was there.
class TomlSection {
 public:
  TomlSection(TomlProblems& problems, const toml::table& table, std::string prefix)
      : problems_(problems), table_(table), prefix_(std::move(prefix)) {}

  template <class T>
  using Check = std::function<std::string(const T&)>;

  bool text(const char* key, std::string& out, const Check<std::string>& check = {});
  bool boolean(const char* key, bool& out);
  bool integer(const char* key, std::int64_t& out, std::int64_t low, std::int64_t high);
  bool texts(const char* key, std::vector<std::string>& out);
  bool integers(const char* key, std::vector<std::int64_t>& out, std::int64_t low, std::int64_t high);
  bool numbers(const char* key, std::vector<double>& out, double low, double high);
  /// The sub-table, or null.
  const toml::table* section(const char* key);
  /// The list of tables [[key]], or null.
  const toml::array* sections(const char* key);

  /// Notes what is wrong with a key that has been read.
  void report(const char* key, const std::string& text);
  /// Notes every key that was not asked for, with the nearest that was.
  void finish();

 private:
  const toml::node* find(const char* key);
  std::string path(const std::string& key) const { return prefix_.empty() ? key : prefix_ + "." + key; }
  void expected(const char* key, const std::string& what, const toml::node& got);
  /// The elements of a list that is not empty, or null.
  const toml::array* list(const char* key, const std::string& of);

  TomlProblems& problems_;
  const toml::table& table_;
  std::string prefix_;
  std::set<std::string> asked_;
};

}  // namespace noisymix

#include "tools/toml_text.h"

#include <cmath>
#include <fstream>

#include "engine/error.h"
#include "tools/schema.h"

namespace noisymix {
namespace {

constexpr std::size_t kMaxLineLength = 1000;

}  // namespace

std::optional<TomlRefusal> refuse_toml(const std::string& text) {
  if (text.size() > kMaxTomlBytes) return TomlRefusal{0, "larger than 1 MB: not a configuration"};
  std::size_t line_start = 0;
  std::uint32_t line = 1;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] != '\n') continue;
    if (i - line_start > kMaxLineLength)
      return TomlRefusal{line, "line of more than " + std::to_string(kMaxLineLength) + " characters"};
    ++line;
    line_start = i + 1;
  }
  return std::nullopt;
}

std::string read_toml_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  NM_CHECK_AS(ConfigError, in.good(), path, ": cannot be opened");
  std::string text(kMaxTomlBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  NM_CHECK_AS(ConfigError, !in.bad(), path, ": cannot be read");
  return text;
}

std::string toml_syntax_message(const toml::parse_error& error) {
  std::string text(error.description());
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return text.substr(0, 300);
}

std::string describe_toml(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::string: {
      const std::string& text = node.as_string()->get();
      return format_value(text.size() <= 40 ? text : text.substr(0, 37) + "...");
    }
    case toml::node_type::integer:
      return std::to_string(node.as_integer()->get());
    case toml::node_type::floating_point: {
      const double value = node.as_floating_point()->get();
      return std::isnan(value) ? "nan" : format_value(value);
    }
    case toml::node_type::boolean:
      return node.as_boolean()->get() ? "true" : "false";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::table:
      return "a section";
    default:
      return "a date or time";
  }
}

}  // namespace noisymix

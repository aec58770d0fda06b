// From Config to text: TOML that reads back the same, and the reference of all keys.
#include <sstream>

#include "engine/error.h"
#include "tools/schema.h"

namespace noisymix {
namespace {

constexpr std::size_t kWidth = 100;

// Breaks text at spaces so that no line, indented, passes kWidth.
std::string wrap(const std::string& text, const std::string& indent) {
  std::istringstream words(text);
  std::string out, line = indent, word;
  while (words >> word) {
    if (line.size() > indent.size() && line.size() + 1 + word.size() > kWidth) {
      out += line + "\n";
      line = indent;
    }
    line += (line.size() > indent.size() ? " " : "") + word;
  }
  return out + line + "\n";
}

std::string explain_key(const ConfigKey& key) {
  std::string text = key.path + " = " + format_value(key.default_value()) + "\n";
  const std::string allowed = key.allowed();
  text += "    " + key.type_name() + (allowed.empty() ? "" : ": " + allowed) + "\n";
  text += wrap(key.meaning, "    ");
  if (!key.difference.empty()) text += "    Papers and published code differ here: " + key.difference + ".\n";
  return text;
}

// "a|b" would end a table cell.
std::string markdown_cell(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

const char* const kReferenceHead = R"(# Configuration reference

A run is described by a TOML file (`noisymix train FILE`); `noisymix config list` shows those that come with the program.
Every key is optional and stands in the section before its dot: `mix.add` is `add` under `[mix]`. On the command line
`--set mix.add=0.4` overrides the file and is checked in the same way.

A training scheme is three choices: `[views]`, `[mix]` and `[objective]`. Ids such as D3 name entries of the register of
differences between the papers and their published code in
[method.md](method.md#register-of-differences-between-papers-and-published-code).

This page is the output of `noisymix config reference`; a test keeps it so.
)";

}  // namespace

std::string to_toml(const Config& config) {
  std::string out, section;
  for (const ConfigKey& key : config_schema()) {
    if (key.section() != section) {
      section = key.section();
      out += "\n[" + section + "]\n";
    }
    out += key.name() + " = " + format_value(key.read(config)) + "\n";
  }
  return out;
}

std::string explain_config(const std::string& section_or_key) {
  std::string out;
  for (const auto& [section, meaning] : config_sections()) {
    bool headed = false;
    for (const ConfigKey& key : config_schema()) {
      const bool wanted =
          section_or_key.empty() || key.path == section_or_key || key.path.starts_with(section_or_key + ".");
      if (!wanted || key.section() != section) continue;
      if (!headed && key.path != section_or_key) {
        if (!out.empty()) out += '\n';
        if (!section.empty()) out.append("[").append(section).append("] ");
        out += meaning + "\n";
      }
      headed = true;
      if (!out.empty()) out += '\n';
      out += explain_key(key);
    }
  }
  if (out.empty()) {
    const std::string near = nearest_config_key(section_or_key);
    fail<ConfigError>(
        "unknown key or section ", section_or_key.substr(0, 80),
        near.empty() ? "; `noisymix config explain` lists all keys" : "; did you mean " + near + "?");
  }
  return out;
}

std::string config_reference_markdown() {
  std::string out = kReferenceHead;
  for (const auto& [section, meaning] : config_sections()) {
    out += "\n## " + (section.empty() ? meaning : "[" + section + "]") + "\n\n";
    if (!section.empty()) out += meaning + "\n\n";
    out += "| key | type | default | allowed | meaning | differs |\n|---|---|---|---|---|---|\n";
    for (const ConfigKey& key : config_schema()) {
      if (key.section() != section) continue;
      const std::string allowed = key.allowed();
      out += "| `" + key.path + "` | " + key.type_name() + " | `" + format_value(key.default_value()) +
             "` | " + markdown_cell(allowed) + " | " + markdown_cell(key.meaning) + " | " + key.difference +
             " |\n";
    }
  }
  return out;
}

}  // namespace noisymix

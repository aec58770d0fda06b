// What the rows of the table say in words, and finding rows by exact and by misspelled names.
#include <charconv>
#include <cmath>

#include "engine/error.h"
#include "engine/nearest_name.h"
#include "tools/schema.h"

namespace noisymix {
namespace {

std::string format_number(double value) {
  if (std::abs(value) < 1e9 && value == std::floor(value))
    return std::to_string(static_cast<std::int64_t>(value));
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return std::string(buffer, end);
}

std::string quote(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    static const char* const digits = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      out += "\\u00";
      out += digits[byte >> 4];
      out += digits[byte & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace

bool ConfigRange::contains(double value) const {
  return std::isfinite(value) && (low_open ? value > low : value >= low) &&
         (high_open ? value < high : value <= high);
}

std::string ConfigRange::str() const {
  const bool has_low = std::isfinite(low), has_high = std::isfinite(high);
  if (has_low && has_high && !low_open && !high_open)
    return format_number(low) + " .. " + format_number(high);
  if (has_low && has_high) {
    return detail::concat_message(low_open ? '(' : '[', format_number(low), ", ", format_number(high),
                                  high_open ? ')' : ']');
  }
  if (has_low) return (low_open ? "> " : ">= ") + format_number(low);
  if (has_high) return (high_open ? "< " : "<= ") + format_number(high);
  return "";
}

std::string ConfigKey::section() const {
  const auto dot = path.find('.');
  return dot == std::string::npos ? "" : path.substr(0, dot);
}

std::string ConfigKey::name() const {
  return path.substr(path.find('.') + 1);
}  // npos + 1 is 0: the whole path

ConfigValue ConfigKey::default_value() const {
  static const Config defaults;
  return read(defaults);
}

std::string ConfigKey::type_name() const {
  static const char* const names[] = {"true or false", "integer", "number", "text", "list of integers"};
  return names[default_value().index()];
}

std::string ConfigKey::allowed() const {
  if (choices.empty()) return range.str();
  std::string out;
  for (const std::string& choice : choices)
    out += (out.empty() ? "" : ", ") + (choice.empty() ? "\"\"" : choice);
  return out;
}

const ConfigKey* find_config_key(std::string_view path) {
  for (const ConfigKey& key : config_schema()) {
    if (key.path == path) return &key;
  }
  return nullptr;
}

std::vector<std::string> names_in_section(std::string_view section) {
  std::vector<std::string> names;
  for (const ConfigKey& key : config_schema()) {
    if (key.section() == section) names.push_back(key.name());
  }
  return names;
}

std::string format_value(const ConfigValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
  if (const auto* text = std::get_if<std::string>(&value)) return quote(*text);
  if (const auto* number = std::get_if<double>(&value)) {
    std::string out = format_number(*number);
    if (*number == 0 && std::signbit(*number)) out = "-0.0";
    if (out.find_first_of(".en") == std::string::npos) out += ".0";  // TOML tells 12 and 12.0 apart
    return out;
  }
  std::string out = "[";
  for (const std::int64_t entry : std::get<std::vector<std::int64_t>>(value)) {
    out += (out.size() == 1 ? "" : ", ") + std::to_string(entry);
  }
  return out + "]";
}

std::string nearest_config_key(const std::string& path) {
  if (path.size() > 100) return "";  // nobody meant that; keeps hostile files cheap
  const auto dot = path.find('.');
  const std::string section = dot == std::string::npos ? "" : path.substr(0, dot),
                    name = path.substr(dot + 1);
  std::vector<std::string> paths;
  for (const ConfigKey& key : config_schema()) {
    if (key.name() == name) return key.path;  // the right name in the wrong section
    paths.push_back(key.path);
  }
  const std::string near = nearest_name(name, names_in_section(section));
  if (!near.empty()) return section.empty() ? near : section + '.' + near;
  // Inside a known section a whole path would be near everything else there.
  return names_in_section(section).empty() ? nearest_name(path, paths) : "";
}

}  // namespace noisymix

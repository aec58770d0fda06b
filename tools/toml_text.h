// TOML from outside: the one place that includes the parser, with limits that keep hostile text from doing
// harm.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

// Headers only, with a nesting limit far below the default: together with the limit on line length it bounds
// the depth of the parsed tree, whose destructor recurses.
#define TOML_HEADER_ONLY 1
#define TOML_MAX_NESTED_VALUES 16
#include <toml++/toml.h>

namespace noisymix {

inline constexpr std::size_t kMaxTomlBytes = 1 << 20;

/// Why a text must not reach the parser; line 0 when it is the whole of it.
struct TomlRefusal {
  std::uint32_t line = 0;
  std::string text;
};

/// Refuses text of more than a megabyte and lines of more than a thousand characters.
std::optional<TomlRefusal> refuse_toml(const std::string& text);

/// The content of a file, one byte more than refuse_toml() lets pass at most. Throws ConfigError when it
/// cannot be read.
std::string read_toml_file(const std::string& path);

/// The parser's message on one line.
std::string toml_syntax_message(const toml::parse_error& error);

/// A value for use in a message: "a list", 3, "text".
std::string describe_toml(const toml::node& node);

}  // namespace noisymix

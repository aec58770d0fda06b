// The one table of settings: each key appears once, with all that parsing, checking, explaining and writing
// need.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tools/config.h"

namespace noisymix {

/// A setting's value as files write it. Which alternative a key takes is fixed by its field in Config.
using ConfigValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>>;

/// Allowed numbers; for lists, allowed entries.
struct ConfigRange {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;   ///< low itself is not allowed
  bool high_open = false;  ///< high itself is not allowed

  bool contains(double value) const;
  /// ">= 0", "> 0", "1 .. 10", "[0, 1)" or empty when everything is allowed.
  std::string str() const;
};

/// One row of the table. The default is not written here: it is what the field holds in a fresh Config.
struct ConfigKey {
  std::string path;        ///< "optimizer.lr", as TOML spells it
  std::string meaning;     ///< one sentence or two
  std::string difference;  ///< entry of the register of differences between papers and code ("D3"), or empty
  ConfigRange range;
  std::vector<std::string> choices;  ///< texts allowed; empty means any
  std::function<ConfigValue(const Config&)> read;
  std::function<void(Config&, const ConfigValue&)> write;

  std::string section() const;  ///< up to the first dot; empty for top-level keys
  std::string name() const;     ///< what follows it
  ConfigValue default_value() const;
  std::string type_name() const;  ///< "number", "integer", "true or false", "text", "list of integers"
  std::string allowed() const;    ///< range or choices in words; empty when anything of the type goes
};

/// All keys, in the order to show them, and the sections with what they hold.
const std::vector<ConfigKey>& config_schema();
const std::vector<std::pair<std::string, std::string>>& config_sections();

/// The key of that path, or null.
const ConfigKey* find_config_key(std::string_view path);
/// Names of the keys of a section, without it; none for an unknown section.
std::vector<std::string> names_in_section(std::string_view section);

/// Settings that do not fit together: the keys involved, the one to blame first, and what is wrong.
struct ConfigConflict {
  std::vector<std::string> keys;
  std::string message;
};
std::vector<ConfigConflict> find_conflicts(const Config& config);

/// A value as TOML (and as messages) show it: "text" quoted, numbers in the fewest digits that read back the
/// same.
std::string format_value(const ConfigValue& value);

/// The key most likely meant by an unknown one, or empty when none is near.
std::string nearest_config_key(const std::string& path);

}  // namespace noisymix

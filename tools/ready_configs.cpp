#include "tools/ready_configs.h"

#include <filesystem>

#include "engine/error.h"
#include "engine/nearest_name.h"

namespace noisymix {

std::string ready_config_summary(const ReadyConfig& config) {
  std::string_view line = config.text.substr(0, config.text.find('\n'));
  while (!line.empty() && (line.front() == '#' || line.front() == ' ')) line.remove_prefix(1);
  return std::string(line);
}

ConfigSource find_config(const std::string& path_or_name) {
  const std::filesystem::path path(path_or_name);
  std::error_code ignored;
  if (std::filesystem::is_regular_file(path, ignored)) return {path_or_name, path.stem().string(), "", true};
  std::vector<std::string> names;
  for (const ReadyConfig& config : ready_configs()) {
    if (config.name == path_or_name) return {path_or_name, path_or_name, std::string(config.text), false};
    names.emplace_back(config.name);
  }
  const bool file_meant = path_or_name.find('/') != std::string::npos || path.extension() == ".toml";
  NM_CHECK_AS(ConfigError, !file_meant, path_or_name, ": there is no such file");
  const std::string near = nearest_name(path_or_name, names);
  fail<ConfigError>("no file or ready configuration '", path_or_name.substr(0, 80), "'",
                    near.empty() ? "; `noisymix config list` shows them" : "; did you mean " + near + "?");
}

}  // namespace noisymix

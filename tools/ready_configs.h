// Configurations that come with the program: the papers' recipes, short runs, demonstrations.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace noisymix {

struct ReadyConfig {
  std::string_view name;  ///< of the file in tools/configs, without .toml
  std::string_view text;
};

/// All of them by name; the texts are compiled in (tools/cmake/EmbedConfigs.cmake).
const std::vector<ReadyConfig>& ready_configs();

/// First comment line of a configuration: what it is.
std::string ready_config_summary(const ReadyConfig& config);

/// What `train CONFIG` names: an existing file (its path and content) or, without "/" and ".toml", a ready
/// configuration.
struct ConfigSource {
  std::string name;  ///< for messages
  std::string stem;  ///< name without folder and extension
  std::string text;  ///< of a ready configuration; empty for a file
  bool is_file = false;
};

/// Throws ConfigError with the nearest name when there is no such file or configuration.
ConfigSource find_config(const std::string& path_or_name);

}  // namespace noisymix

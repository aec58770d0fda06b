// Folders that a long work fills and may be continued in: what they are made of is written down once, and
// checked when somebody comes back.
#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace noisymix {

/// Writes `wanted` to FOLDER/`name` of an existing folder, or compares it with the file that is there. Throws
/// ConfigError naming the first setting that differs; `what` says what the folder holds, for example
/// "pictures".
void claim_folder(const std::filesystem::path& folder, const std::string& name, const std::string& what,
                  const nlohmann::ordered_json& wanted);

}  // namespace noisymix

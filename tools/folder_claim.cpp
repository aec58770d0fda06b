#include "tools/folder_claim.h"

#include <nlohmann/json.hpp>

#include "data/file_bytes.h"
#include "engine/error.h"
#include "engine/io/atomic_file.h"

namespace noisymix {

void claim_folder(const std::filesystem::path& folder, const std::string& name, const std::string& what,
                  const nlohmann::ordered_json& wanted) {
  const std::filesystem::path file = folder / name;
  if (!std::filesystem::exists(file)) {
    write_file_atomically(file, wanted.dump(2) + "\n");
    return;
  }
  const Bytes bytes = read_file_bytes(file, 1 << 20);
  const auto found = nlohmann::ordered_json::parse(bytes.begin(), bytes.end(), nullptr, false);
  for (const auto& [key, value] : wanted.items()) {
    const std::string there = found.is_object() && found.contains(key) ? found[key].dump() : "nothing";
    NM_CHECK_AS(ConfigError, there == value.dump(), folder.string(), " holds ", what,
                " made of something else: ", key, " is ", printable(there), " there, ", value.dump(),
                " now; choose another --out, or remove the folder");
  }
}

}  // namespace noisymix

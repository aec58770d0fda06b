#include "data/picture_paths.h"

#include <algorithm>
#include <cctype>

#include "engine/error.h"

namespace noisymix {
namespace {

namespace fs = std::filesystem;

bool is_picture(const fs::directory_entry& entry) {
  std::string extension = entry.path().extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::error_code ignored;
  return (extension == ".png" || extension == ".jpg" || extension == ".jpeg") &&
         entry.is_regular_file(ignored);
}

bool is_folder(const fs::directory_entry& entry) {
  std::error_code ignored;
  return entry.is_directory(ignored);
}

/// directory_entry remembers the type of an entry, so that a million files need no million calls.
template <typename Keep>
std::vector<std::string> sorted_names(const fs::path& folder, Keep keep) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::string name = it->path().filename().string();
    if (!name.starts_with('.') && keep(*it)) names.push_back(std::move(name));
  }
  NM_CHECK_AS(DataError, !error, folder.string(), ": cannot be listed: ", error.message());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

std::vector<std::string> picture_names(const fs::path& folder) {
  return sorted_names(folder, is_picture);
}

std::vector<std::string> folder_names(const fs::path& folder) {
  return sorted_names(folder, is_folder);
}

}  // namespace noisymix

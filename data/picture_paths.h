// Which files of a folder are pictures, and in which order.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace noisymix {

/// Names of the PNG and JPEG files in a folder, by their extension in any case, in alphabetical order: that
/// of the file system must not matter. Hidden files are passed over. Throws DataError when it cannot be
/// listed.
std::vector<std::string> picture_names(const std::filesystem::path& folder);

/// Names of the folders in a folder, in alphabetical order, without hidden ones.
std::vector<std::string> folder_names(const std::filesystem::path& folder);

}  // namespace noisymix

// NumPy's .npz: a zip archive of .npy arrays, stored or deflated.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "data/npy.h"

namespace noisymix {

/// Arrays by name (without ".npy") in the archive's order. Throws DataError naming the file for a damaged
/// directory, encryption, an unknown compression method, a wrong CRC, duplicate names, or sizes that do not
/// fit.
std::vector<std::pair<std::string, NpyArray>> read_npz(const std::filesystem::path& path);

/// The same from bytes in memory; `name` stands for the file in messages.
std::vector<std::pair<std::string, NpyArray>> parse_npz(const std::string& name, ByteView bytes);

}  // namespace noisymix

// Short fingerprints of files and data sets, to tell whether results belong to what is there now.
#pragma once

#include <filesystem>
#include <string>

#include "data/dataset.h"

namespace noisymix {

/// "size-crc32" of a file's bytes, in hexadecimal. Tells versions apart; no protection against forgery.
std::string hash_file(const std::filesystem::path& path);

/// The same of a data set: its size, and position, label and content of up to 2,000 examples spread evenly.
std::string hash_dataset(const Dataset& dataset);

}  // namespace noisymix

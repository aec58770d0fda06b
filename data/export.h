// Writing a data set to files that other programs, and this one, read.
#pragma once

#include <filesystem>
#include <string>

#include "data/dataset.h"

namespace noisymix {

/// Formats: "png" (dir/CLASS/000123.png), "npy" (dir/images.npy u8 [n, h, w, c] or features.npy f32 [n, d],
/// and dir/labels.npy i64 [n]), "cifar" (dir/NAME.bin records of label byte and three 32x32 planes, and
/// batches.meta.txt). `name` is that of the file in "cifar", without .bin; test_batch makes it the test split
/// of CIFAR-10. Creates the folder. Returns one line on what was written. Throws ConfigError for an unknown
/// format and DataError when the set does not fit it or a file cannot be written.
std::string export_dataset(const Dataset& dataset, const std::filesystem::path& dir,
                           const std::string& format, const std::string& name = "data_batch_1");

}  // namespace noisymix

// What a file or folder of data is and holds, for people.
#pragma once

#include <filesystem>
#include <string>

#include "data/dataset.h"

namespace noisymix {

/// Several lines on a file or folder of any format that can be read: CIFAR binaries, IDX, gzip, npy, npz,
/// PNG, JPEG, safetensors, Tiny-ImageNet, image folders. Files are told apart by their content, CIFAR
/// binaries by their size and labels. Reads everything it describes, so that a damaged file throws DataError.
std::string describe_path(const std::filesystem::path& path);

/// The same for an open set: count, shape, examples per class, mean and standard deviation per channel.
std::string describe_dataset(const Dataset& dataset);

}  // namespace noisymix

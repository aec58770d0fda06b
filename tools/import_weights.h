// Weights trained elsewhere, as a weight file that every verb reads.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tools/checkpoint.h"

namespace noisymix {

struct ImportOptions {
  std::filesystem::path file, out;
  std::string model;                  ///< name in the table of networks
  std::vector<std::string> settings;  ///< "model.width=2": options of the network, as --set spells them
  int classes = 0;                    ///< 0: what the last layer in the file has
  int size = 0;                       ///< side of the images; 0: what the network is made for
  int channels = 3;                   ///< of the images
  std::string normalization;          ///< of make_normalization(); empty: imagenet for 224 pixels, else half
  std::filesystem::path class_names;  ///< file with a name per line; empty: 0, 1, 2, ...
  std::string data;                   ///< data set the classes are those of; empty: not said
};

/// Reads a safetensors file with PyTorch's names and shapes (see read_weight_file), checks it against the
/// network and writes it with a card; returns the card. Throws ConfigError for options that do not fit and
/// when `out` exists, DataError with everything in the file that does not; nothing is written then.
ModelCard import_weights(const ImportOptions& options);

}  // namespace noisymix

// Weights of any origin as the start of a network: run folders, noisymix files, and safetensors files with
// PyTorch's names and shapes.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "tools/checkpoint.h"

namespace noisymix {

struct WeightFile {
  std::filesystem::path path;     ///< the file read
  Module::Named tensors;          ///< in this library's layout; wrapping prefixes of the names are gone
  std::optional<ModelCard> card;  ///< of files that noisymix wrote
};

/// `path` is a run folder, or a weight file or checkpoint. The prefixes "module.", "state_dict." and "model."
/// are dropped where every name has them. Throws DataError naming file and problem; for what torch.save
/// writes, the message says how to convert it.
WeightFile read_weight_file(const std::filesystem::path& path);

/// Copies the tensors into the network by name, leaving out those below the module `except` (empty: none),
/// which keep their values. Missing num_batches_tracked are 0. Strict otherwise: every tensor that is
/// missing, unexpected, of another shape or type, or not finite, is listed in one DataError (ten of a kind,
/// then their number), shapes as PyTorch writes them, and nothing is changed.
void load_weights(const WeightFile& weights, Model& model, const std::string& except = "");

}  // namespace noisymix

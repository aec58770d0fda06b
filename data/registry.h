// One table from data set name to reader.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "data/dataset.h"
#include "engine/key.h"

namespace noisymix {

struct DatasetOptions {
  std::string name = "shapes";     ///< one of list_datasets()
  std::filesystem::path path{};    ///< folder of the files; unused by built-in sets
  bool train = true;               ///< training or test split
  std::uint64_t seed = 0;          ///< of built-in sets
  std::int64_t limit = 0;          ///< first examples only; 0 means all
  std::int64_t count = 0;          ///< size of a built-in set; 0 means its default
  int image_size = 0;              ///< folder: side to resize to; 0 means all images must agree
  std::filesystem::path paired{};  ///< training: pictures that replace the originals; empty for none
  double paired_share = 0.5;       ///< with this probability
  std::filesystem::path extra{};   ///< training: class folders of additional pictures; empty for none
  /// shards: folder of decoded pictures, made where need be; empty means none
  std::filesystem::path cache{};
  bool fast_decode = false;    ///< shards: JPEGs are decoded at a fraction of their size where that is enough
  ImageTransform transform{};  ///< of every picture, after image_size
  std::function<void(std::int64_t done, std::int64_t total)> progress{};  ///< while a cache is being filled
  std::function<bool()> should_stop{};  ///< ends the filling with a DataError; the next run continues it
};

/// Whether the set's pictures differ in size, so that a transform or resized crops are needed.
bool has_mixed_sizes(const std::string& name);

/// Opens a data set. Partners (`paired`) are found by name for folders, by position in a set of the same kind
/// for all others. Throws DataError naming file and problem, ConfigError for an unknown name.
std::shared_ptr<const Dataset> open_dataset(const DatasetOptions& options);

/// Names and one-line descriptions, in the order to show.
std::vector<std::pair<std::string, std::string>> list_datasets();

}  // namespace noisymix

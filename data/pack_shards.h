// Packing pictures in class folders into tar shards.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace noisymix {

struct PackOptions {
  std::uint64_t shard_bytes = std::uint64_t{500} << 20;  ///< largest archive; one picture always fits
  bool shuffled = true;                                  ///< else class by class, in alphabetical order
  std::uint64_t seed = 0;  ///< of the shuffled order; 0 is the order in which the data set `folder` has them
  std::function<void(std::int64_t done, std::int64_t total)> progress{};
  std::function<bool()> should_stop{};
};

struct PackResult {
  std::int64_t pictures = 0, shards = 0;
  bool finished = true;  ///< false when stopped; archives that are whole stay
};

/// Packs root/train/CLASS/* and root/test/CLASS/* (or root/CLASS/*, split as list_image_folder() does) as
/// they are into out/train/000000.tar, ... and out/test/, entries named CLASS/FILE, and writes
/// out/classes.txt. The archives depend on names, contents and options alone. Throws DataError when `out`
/// already holds archives.
PackResult pack_shards(const std::filesystem::path& root, const std::filesystem::path& out,
                       const PackOptions& options);

/// "500M" -> 524288000; K, M and G count in powers of 1024. Throws ConfigError for anything else.
std::uint64_t parse_size(const std::string& text);

}  // namespace noisymix

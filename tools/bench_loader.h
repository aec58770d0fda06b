// Speed of the input pipeline of encoded pictures: what `noisymix bench loader` reports.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace noisymix {

struct BenchLoaderOptions {
  std::string dataset = "imagenet";  ///< layout of the files in `path`
  std::filesystem::path path{};      ///< empty: JPEG pictures of 500 x 375 made here, read from memory
  std::int64_t images = 2000;        ///< of the training split; examples repeat when it has fewer
  int side = 224;                    ///< of the random resized crops
  int threads = 2;                   ///< workers; 0 means one per hardware thread
};

/// One image is read, decoded, cropped at random, resized, flipped and normalised.
struct BenchLoaderResult {
  std::string peer, data;
  std::int64_t images = 0;
  int side = 224, threads = 1;
  double images_per_s = 0;
};

/// Throws ConfigError for options out of range, DataError for files that cannot be read.
BenchLoaderResult bench_loader(const BenchLoaderOptions& options);
/// One line without, and one with its newline.
std::string to_json(const BenchLoaderResult& result);
std::string to_text(const BenchLoaderResult& result);

}  // namespace noisymix

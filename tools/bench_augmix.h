// Speed of the AugMix input pipeline: what `noisymix bench augmix` reports.
#pragma once

#include <cstdint>
#include <string>

namespace noisymix {

struct BenchAugmixOptions {
  std::int64_t images = 20000;
  int threads = 1;             ///< workers making views; 0 means one per hardware thread
  std::string device = "cpu";  ///< on a GPU the images lie there, and the time is that of batches of 512
};

/// One image is its crop/flip view and two AugMix views of it, normalised, from 8-bit 32 x 32 RGB.
struct BenchAugmixResult {
  std::string peer;
  std::int64_t images = 0;
  int threads = 1;
  std::string device = "cpu";
  double images_per_s = 0;
};

BenchAugmixResult bench_augmix(const BenchAugmixOptions& options);
/// One line without, and one with its newline.
std::string to_json(const BenchAugmixResult& result);
std::string to_text(const BenchAugmixResult& result);

}  // namespace noisymix

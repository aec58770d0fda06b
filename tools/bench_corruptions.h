// Speed of the corruptions: what `noisymix bench corruptions` reports.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "augment/corruptions/corruption.h"

namespace noisymix {

struct BenchCorruptionsOptions {
  std::int64_t images = 200;  ///< per type and severity
  int side = 32;
  ParameterSet parameters = ParameterSet::cifar;
};

/// Means over the severities on one thread.
struct BenchCorruptionsResult {
  std::string peer;
  int side = 32;
  std::int64_t images = 0;
  std::vector<std::pair<std::string, double>> microseconds;  ///< per image, by type
  double all_milliseconds = 0;                               ///< one image through all nineteen
};

BenchCorruptionsResult bench_corruptions(const BenchCorruptionsOptions& options);
/// One line without, and one with its newline.
std::string to_json(const BenchCorruptionsResult& result);
std::string to_text(const BenchCorruptionsResult& result);

}  // namespace noisymix

// Corrupted copies of a data set as files, in the layout of the published sets.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "augment/corruptions/corruption.h"
#include "augment/sequences/sequence.h"
#include "data/dataset.h"

namespace noisymix {

struct CorruptOptions {
  ParameterSet parameters = ParameterSet::cifar;
  std::vector<CorruptionType> corruptions;        ///< one file each
  std::vector<int> severities = {1, 2, 3, 4, 5};  ///< one after the other within a file
  std::vector<SequenceType> sequences;            ///< one file each
  int difficulty = 1;                             ///< of sequences
  CorruptionOptions corruption_options;
  std::uint64_t seed = 0;
};

/// Where the work stands, in images.
struct CorruptProgress {
  std::string file;
  std::int64_t done = 0, total = 0;
};

struct CorruptObserver {
  std::function<void(const CorruptProgress&)> progress{};
  std::function<bool()> should_stop{};
};

/// Writes TYPE.npy, uint8 [severities * n, h, w, c], severity by severity, for every corruption; TYPE.npy,
/// uint8 [n, frames, h, w, c], for every sequence; labels.npy, int64 [severities * n] ([n] for sequences);
/// corrupt.json with what they were made of. Files that are there already, made of the same, stay. Throws
/// ConfigError when the folder holds a set made of something else, or for a data set without images. Returns
/// false when stopped; the file at hand is then written anew next time.
bool write_corrupted_set(const Dataset& data, const CorruptOptions& options,
                         const std::filesystem::path& folder, const CorruptObserver& observer);

}  // namespace noisymix

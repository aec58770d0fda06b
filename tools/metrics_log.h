// metrics.jsonl of a run: one JSON object a line, appended; a resumed run continues it where its checkpoint
// stood.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "tools/train_observer.h"

namespace noisymix {

/// Lines have a "kind": "start", "step" or "epoch".
class MetricsLog {
 public:
  /// Opens (or makes) the file and cuts it to `keep_bytes`: lines that a stopped run wrote after its last
  /// checkpoint are written again by the resumed one. Locks the file, so that two processes cannot train in
  /// one folder.
  MetricsLog(const std::filesystem::path& path, std::int64_t keep_bytes);
  ~MetricsLog();
  MetricsLog(const MetricsLog&) = delete;
  MetricsLog& operator=(const MetricsLog&) = delete;

  void start(const TrainStart& start, std::uint64_t seed);
  void step(const StepReport& report);
  void epoch(const EpochReport& report);

  /// Length of the file.
  std::int64_t bytes() const { return bytes_; }
  /// Waits until all lines are on the disk: a checkpoint must not know of lines that a power cut loses.
  void sync();

 private:
  void append(const std::string& line);
  std::filesystem::path path_;
  int descriptor_ = -1;
  std::int64_t bytes_ = 0;
};

}  // namespace noisymix

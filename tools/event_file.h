// Scalars of a training run in the files that TensorBoard reads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace noisymix {

/// CRC-32C (Castagnoli) of the bytes, as the record format wants it.
std::uint32_t crc32c(std::string_view bytes);

/// One named value of a step.
struct Scalar {
  std::string_view tag;  ///< "train/loss"; the part before the slash groups the curves
  double value = 0;      ///< stored as float32
};

/// A new file FOLDER/events.out.tfevents.SECONDS.NUMBER, so that names sort by age. Every event is written at
/// once, in the record framing (length, masked checksum, data, masked checksum) around a protocol buffer.
class EventFile {
 public:
  using Clock = std::function<double()>;  ///< seconds since 1970

  /// `first_step` is the first one that will be written: viewers drop what earlier files of the folder say of
  /// it and later steps, so that a resumed run takes over where its checkpoint stood. Throws DataError when
  /// the file cannot be made.
  EventFile(const std::filesystem::path& folder, std::int64_t first_step, Clock clock = {});
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  /// Throws DataError with the system's reason, for example a full disk.
  void add(std::int64_t step, std::span<const Scalar> scalars);
  const std::filesystem::path& path() const { return path_; }

 private:
  void write_event(std::int64_t step, std::string_view content);

  Clock clock_;
  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace noisymix

// The tar archive format: where the files inside lie, reading them in place, and writing. Nothing is ever
// unpacked, so links and path tricks in an archive lead nowhere.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "data/file_bytes.h"
#include "engine/io/atomic_file.h"

namespace noisymix {

/// A regular file inside an archive: its bytes lie at [offset, offset + size).
struct TarEntry {
  std::string name;
  std::uint64_t offset = 0, size = 0;
};

/// Fills `target` from a position of the archive; throws DataError when it cannot.
using ReadAt = std::function<void(std::uint64_t offset, std::span<std::uint8_t> target)>;

/// The regular files of an archive of `size` bytes in their order. Takes ustar, GNU long names and base-256
/// sizes, and pax path and size records; passes over folders, links and devices. `name` stands for the
/// archive in messages. Throws DataError for an archive that is cut short, compressed, sparse or split, a
/// wrong checksum, a size beyond the end, and a name that is empty, too long or holds control characters.
std::vector<TarEntry> list_tar(const std::string& name, std::uint64_t size, const ReadAt& read);
std::vector<TarEntry> list_tar(const std::filesystem::path& file);

/// The bytes of an entry, read at their place. Safe from many threads. Throws DataError naming archive and
/// entry when the file has become shorter, or the entry is larger than `limit`.
Bytes read_tar_entry(const std::filesystem::path& file, const TarEntry& entry,
                     std::uint64_t limit = std::uint64_t{1} << 30);

/// Writes an archive (ustar; pax records for names over 100 bytes) whose bytes depend on names and contents
/// alone: no times, no owners. Appears under its name with finish().
class TarWriter {
 public:
  explicit TarWriter(const std::filesystem::path& file);
  void add(const std::string& name, ByteView content);
  void finish();
  /// Bytes that the archive would have if `add` were called with a content of that size.
  std::uint64_t size_with(const std::string& name, std::uint64_t content) const;
  std::uint64_t size() const { return size_; }

 private:
  void write_padded(ByteView content);
  AtomicFile out_;
  std::uint64_t size_ = 0;
};

}  // namespace noisymix

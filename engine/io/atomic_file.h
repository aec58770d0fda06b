// Writing a file so that readers see the old content or the whole new one, never a part, even after a power
// cut.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>

namespace noisymix {

/// Collects the new content in a temporary file beside `path`; commit() puts it in place. Without commit()
/// the destructor removes the temporary file and `path` stays as it was. A symbolic link at `path` is
/// replaced.
class AtomicFile {
 public:
  /// Creates the temporary file. Throws DataError when the folder is missing or not writable.
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Appends. Throws DataError with the system's reason, for example a full disk.
  void write(const void* data, std::size_t bytes);
  void write(std::string_view text) { write(text.data(), text.size()); }
  /// Flushes the data to the disk, renames onto `path`, and flushes the folder. Nothing may follow.
  void commit();

 private:
  [[noreturn]] void fail_with(const char* action, int error) const;
  void close_file();
  std::filesystem::path path_, temporary_;
  int descriptor_ = -1;
};

/// The whole content in one call.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

}  // namespace noisymix

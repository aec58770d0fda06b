#include "engine/io/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <string>
#include <system_error>

#include "engine/error.h"

namespace noisymix {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestWrite = std::size_t{1} << 30;  // Linux writes at most 2 GiB per call

/// Hidden name in the same folder (rename does not cross file systems), distinct per process and call.
fs::path temporary_name(const fs::path& path) {
  static std::atomic<unsigned> count{0};
  return path.parent_path() / ("." + path.filename().string() + "." + std::to_string(::getpid()) + "." +
                               std::to_string(count++) + ".tmp");
}

int open_retrying(const fs::path& path, int flags) {
  int descriptor;
  do descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
  while (descriptor < 0 && errno == EINTR);
  return descriptor;
}

}  // namespace

AtomicFile::AtomicFile(fs::path path) : path_(std::move(path)) {
  if (!path_.has_filename()) fail_with("write", EISDIR);
  do {  // a name left over from a killed process is skipped, not overwritten
    temporary_ = temporary_name(path_);
    descriptor_ = open_retrying(temporary_, O_WRONLY | O_CREAT | O_EXCL);
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) fail_with("write", errno);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* data, std::size_t bytes) {
  NM_ASSERT(descriptor_ >= 0);
  const char* next = static_cast<const char*>(data);
  while (bytes > 0) {
    const ::ssize_t done = ::write(descriptor_, next, std::min(bytes, kLargestWrite));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail_with("write", errno);
    next += done;
    bytes -= static_cast<std::size_t>(done);
  }
}

void AtomicFile::commit() {
  NM_ASSERT(descriptor_ >= 0);
  if (::fsync(descriptor_) != 0) fail_with("flush", errno);
  close_file();
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_with("replace", errno);
  temporary_.clear();
  // The rename itself lives in the folder. EINVAL: some network file systems have no such flush.
  const fs::path folder = path_.has_parent_path() ? path_.parent_path() : fs::path(".");
  descriptor_ = open_retrying(folder, O_RDONLY | O_DIRECTORY);
  if (descriptor_ < 0) fail_with("flush the folder of", errno);
  if (::fsync(descriptor_) != 0 && errno != EINVAL) fail_with("flush the folder of", errno);
  close_file();
}

void AtomicFile::close_file() {
  const int descriptor = descriptor_;
  descriptor_ = -1;  // on Linux the descriptor is gone even when close fails
  if (::close(descriptor) != 0 && errno != EINTR) fail_with("close", errno);
}

void AtomicFile::fail_with(const char* action, int error) const {
  fail<DataError>(path_.string(), ": cannot ", action, " this file: ", std::system_category().message(error));
}

void write_file_atomically(const fs::path& path, std::string_view content) {
  AtomicFile file(path);
  file.write(content);
  file.commit();
}

}  // namespace noisymix

#include "data/npy_rows.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "engine/error.h"

namespace noisymix {

NpyRows::NpyRows(const std::filesystem::path& path) : path_(path), header_(read_npy_header(path)) {
  NM_CHECK_AS(DataError, header_.file_type == "uint8", path.string(), ": holds ", header_.file_type,
              ", expected uint8");
  NM_CHECK_AS(DataError, header_.shape.rank() > 0 && !header_.fortran, path.string(),
              ": expected an array of rows in C order");
  row_bytes_ = 1;
  for (int axis = 1; axis < header_.shape.rank(); ++axis)
    row_bytes_ *= static_cast<std::size_t>(header_.shape[axis]);
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  NM_CHECK_AS(DataError, descriptor_ >= 0, path.string(),
              ": cannot be opened: ", std::system_category().message(errno));
}

NpyRows::~NpyRows() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void NpyRows::read(std::int64_t first, std::int64_t count, std::uint8_t* out) const {
  NM_CHECK(first >= 0 && count >= 0 && count <= rows() - first, "[npy rows] rows ", first, " to ",
           first + count, " of ", rows(), " do not exist");
  std::size_t left = static_cast<std::size_t>(count) * row_bytes_;
  auto place = static_cast<std::uint64_t>(first) * row_bytes_ + header_.data;
  while (left > 0) {
    const ::ssize_t got = ::pread(descriptor_, out, left, static_cast<::off_t>(place));
    if (got < 0 && errno == EINTR) continue;
    NM_CHECK_AS(DataError, got >= 0, path_.string(),
                ": cannot be read: ", std::system_category().message(errno));
    NM_CHECK_AS(DataError, got > 0, path_.string(), ": became shorter while it was being read");
    out += got;
    left -= static_cast<std::size_t>(got);
    place += static_cast<std::uint64_t>(got);
  }
}

}  // namespace noisymix

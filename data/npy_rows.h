// Parts of a large .npy array, read from the file when they are needed.
#pragma once

#include <cstdint>
#include <filesystem>

#include "data/npy.h"

namespace noisymix {

/// An array of bytes whose rows, entries along the first axis, are read one range at a time. The file stays
/// open; reading is const and thread-safe.
class NpyRows {
 public:
  /// Reads the header only. Throws DataError unless the array is uint8, in C order, with at least one axis.
  explicit NpyRows(const std::filesystem::path& path);
  ~NpyRows();
  NpyRows(const NpyRows&) = delete;
  NpyRows& operator=(const NpyRows&) = delete;

  const Shape& shape() const { return header_.shape; }
  std::int64_t rows() const { return header_.shape[0]; }
  std::size_t row_bytes() const { return row_bytes_; }
  /// Copies `count` rows from `first` on. Throws ShapeError for rows that do not exist, DataError when the
  /// file cannot be read or became shorter.
  void read(std::int64_t first, std::int64_t count, std::uint8_t* out) const;

 private:
  std::filesystem::path path_;
  NpyHeader header_;
  std::size_t row_bytes_ = 0;
  int descriptor_ = -1;
};

}  // namespace noisymix

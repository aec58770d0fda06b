// NumPy's .npy: one array after a short text header.
#pragma once

#include <filesystem>
#include <string>

#include "data/file_bytes.h"
#include "engine/tensor.h"

namespace noisymix {

/// An array in C order, and the element type of the file, such as "uint8" or "float16".
struct NpyArray {
  Tensor values;
  std::string file_type;
};

/// Reads format versions 1 to 3, either byte order, C or Fortran order. Types without a Dtype are widened:
/// float16 -> f32, int8, int16, uint16 -> i32, uint32 -> i64, bool -> u8; uint64 -> i64 when every value
/// fits. Throws DataError naming the file for anything else: magic, version, header, type (objects and
/// strings are never read), size.
NpyArray read_npy(const std::filesystem::path& path);

/// The same from bytes in memory; `name` stands for the file in messages.
NpyArray parse_npy(const std::string& name, ByteView bytes);

/// What stands before the values of an array of this shape and type, for files written piece by piece.
Bytes npy_header(const Shape& shape, Dtype dtype);
/// What stands before the values. The size of the file is checked against it.
struct NpyHeader {
  Shape shape;
  std::string file_type;   ///< such as "uint8"
  bool fortran = false;    ///< the first axis varies fastest
  std::uint64_t data = 0;  ///< place of the first value in the file
};

/// Reads only the beginning of the file. Throws as read_npy() does.
NpyHeader read_npy_header(const std::filesystem::path& path);

/// Version 1.0, little-endian, C order. bf16 has no NumPy type and is refused.
Bytes encode_npy(const Tensor& array);
void write_npy(const std::filesystem::path& path, const Tensor& array);

}  // namespace noisymix

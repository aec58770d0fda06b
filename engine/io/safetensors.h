// The safetensors file format: named tensors after a JSON header. Files are hostile until proven otherwise.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/tensor.h"

namespace noisymix {

/// Tensors in file order of their data, and the free-form "__metadata__" strings.
struct Safetensors {
  std::vector<std::pair<std::string, Tensor>> tensors;
  std::map<std::string, std::string> metadata;

  /// The tensor of that name, or null.
  const Tensor* find(const std::string& name) const;
  /// The tensor of that name; throws DataError listing what is there.
  const Tensor& at(const std::string& name) const;
};

/// Reads a file. Types without a Dtype are widened: F16 -> f32, I8, I16, U16 -> i32, U32 -> i64, BOOL -> u8.
/// Throws DataError naming the file and what is wrong: header length, JSON, dtype, shape (NaN, negative,
/// overflow), offsets (overlap, holes, outside the file, size mismatch), duplicate names.
Safetensors read_safetensors(const std::filesystem::path& path);

/// The same from bytes in memory; `name` stands for the file in messages.
Safetensors parse_safetensors(const std::string& name, const std::byte* data, std::size_t size);

/// Writes atomically (temporary file, fsync, rename). Tensors are stored by falling element size, then in the
/// given order, so that each starts aligned.
void write_safetensors(const std::filesystem::path& path, const Safetensors& content);

}  // namespace noisymix

// A folder that disappears with its object, and comparison of states bit by bit.
#pragma once

#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <string>

#include "layers/module.h"

namespace noisymix::testing {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "noisymix-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) fail<DataError>("cannot make ", pattern);
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::filesystem::path& below) const { return path_ / below; }

 private:
  std::filesystem::path path_;
};

/// Equal names, shapes and bits; the order may differ (files sort by element size).
inline bool same_bits(const Module::Named& a, const Module::Named& b) {
  if (a.size() != b.size()) return false;
  for (const auto& [name, left] : a) {
    const Tensor* right = nullptr;
    for (const auto& [other, candidate] : b) {
      if (other == name) right = &candidate;
    }
    if (right == nullptr || left.shape() != right->shape() || left.dtype() != right->dtype()) return false;
    if (std::memcmp(left.raw(), right->raw(), left.bytes()) != 0) return false;
  }
  return true;
}

}  // namespace noisymix::testing

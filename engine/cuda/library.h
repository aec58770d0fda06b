// Libraries found when the program runs, so that it starts and works without them.
#pragma once

#include <string>
#include <vector>

namespace noisymix::cuda {

/// A shared library looked for, in this order: where the system looks, the folders of NOISYMIX_LIBRARY_PATH,
/// the usual folders of the CUDA toolkit, and the `nvidia` packages of the Python environment that
/// VIRTUAL_ENV or PATH names.
class Library {
 public:
  /// Opens the first of `names` that can be found; never throws.
  explicit Library(const std::vector<std::string>& names);
  bool found() const { return handle_ != nullptr; }
  /// The file that was opened.
  const std::string& file() const { return file_; }
  /// Why nothing was found; one line.
  const std::string& reason() const { return reason_; }
  /// Address of a function, null when the library lacks it.
  void* symbol(const char* name) const;

 private:
  bool open(const std::string& file);
  void* handle_ = nullptr;
  std::string file_, reason_;
};

}  // namespace noisymix::cuda

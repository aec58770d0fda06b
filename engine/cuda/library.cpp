#include "engine/cuda/library.h"

#include <dlfcn.h>
#include <glob.h>
#include <link.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

namespace noisymix::cuda {
namespace {

/// Files that match a shell pattern.
std::vector<std::string> matching(const std::string& pattern) {
  std::vector<std::string> files;
  glob_t found{};
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0)
    for (std::size_t i = 0; i < found.gl_pathc; ++i) files.emplace_back(found.gl_pathv[i]);
  globfree(&found);
  return files;
}

std::vector<std::string> split(const char* list) {
  std::vector<std::string> parts;
  std::istringstream in(list != nullptr ? list : "");
  for (std::string part; std::getline(in, part, ':');)
    if (!part.empty()) parts.push_back(part);
  return parts;
}

/// Where Python environments may lie: VIRTUAL_ENV, and the one whose python3 comes first on PATH.
std::vector<std::string> python_environments() {
  std::vector<std::string> roots = split(std::getenv("VIRTUAL_ENV"));
  for (const std::string& folder : split(std::getenv("PATH"))) {
    std::error_code error;
    const std::filesystem::path python = std::filesystem::path(folder) / "python3";
    if (!std::filesystem::exists(python, error)) continue;
    roots.push_back(std::filesystem::path(folder).parent_path().string());
    const auto real = std::filesystem::canonical(python, error);
    if (!error) roots.push_back(real.parent_path().parent_path().string());
    break;
  }
  return roots;
}

std::vector<std::string> candidates(const std::string& name) {
  std::vector<std::string> files{name};
  for (const std::string& folder : split(std::getenv("NOISYMIX_LIBRARY_PATH")))
    files.push_back(folder + "/" + name);
  for (const char* folder : {"/usr/local/cuda/lib64", "/usr/local/cuda/lib", "/usr/lib/x86_64-linux-gnu"})
    files.push_back(std::string(folder) + "/" + name);
  for (const std::string& root : python_environments())
    for (const std::string& file : matching(root + "/lib/python3*/site-packages/nvidia/*/lib/" + name))
      files.push_back(file);
  return files;
}

}  // namespace

Library::Library(const std::vector<std::string>& names) {
  for (const std::string& name : names)
    for (const std::string& file : candidates(name))
      if (open(file)) return;
}

bool Library::open(const std::string& file) {
  std::error_code error;
  if (file.find('/') != std::string::npos && !std::filesystem::exists(file, error)) return false;
  handle_ = dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (handle_ == nullptr) {
    const char* message = dlerror();
    reason_ = message != nullptr ? message : "cannot be opened";
    return false;
  }
  file_ = file;
  link_map* map = nullptr;
  if (dlinfo(handle_, RTLD_DI_LINKMAP, &map) == 0 && map != nullptr && map->l_name != nullptr)
    file_ = map->l_name;
  return true;
}

void* Library::symbol(const char* name) const {
  return handle_ != nullptr ? dlsym(handle_, name) : nullptr;
}

}  // namespace noisymix::cuda

// The rules of docs/architecture.md that a program can check: include arrows, file sizes, folder names.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

const fs::path kRoot = NOISYMIX_SOURCE_DIR;

/// Folder -> folders it may include, itself left out.
const std::map<std::string, std::set<std::string>> kArrows = {
    {"engine", {}},
    {"layers", {"engine"}},
    {"augment", {"engine"}},
    {"losses", {"engine"}},
    {"models", {"layers", "engine"}},
    {"data", {"augment", "engine"}},
    {"tools", {"data", "models", "losses", "augment", "layers", "engine"}},
};

struct SourceFile {
  fs::path path;
  std::string folder;
  std::vector<std::string> lines;
};

std::vector<SourceFile> sources_of(const std::string& folder) {
  std::vector<SourceFile> files;
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
    const std::string extension = entry.path().extension().string();
    if (extension != ".h" && extension != ".cpp" && extension != ".cu" && extension != ".cuh") continue;
    SourceFile file{fs::relative(entry.path(), kRoot), folder, {}};
    std::ifstream in(entry.path());
    for (std::string line; std::getline(in, line);) file.lines.push_back(line);
    files.push_back(std::move(file));
  }
  return files;
}

bool explains_its_size(const SourceFile& file) {
  for (std::size_t i = 0; i < file.lines.size() && i < 12; ++i)
    if (file.lines[i].find("Length:") != std::string::npos) return true;
  return false;
}

}  // namespace

TEST_CASE("includes follow the arrows of the architecture") {
  const std::regex include(R"rx(^\s*#\s*include\s+"([^"/]+)/[^"]*")rx");
  std::size_t seen = 0;
  for (const auto& [folder, allowed] : kArrows) {
    for (const SourceFile& file : sources_of(folder)) {
      for (const std::string& line : file.lines) {
        std::smatch match;
        if (!std::regex_search(line, match, include)) continue;
        ++seen;
        const std::string target = match[1];
        CHECK_MESSAGE((target == folder || allowed.count(target) == 1), file.path.string() << " includes " << target << "/");
      }
    }
  }
  CHECK(seen > 100);
}

TEST_CASE("source files stay below 400 lines or say why not") {
  std::size_t seen = 0;
  for (const auto& arrow : kArrows) {
    for (const SourceFile& file : sources_of(arrow.first)) {
      ++seen;
      CHECK_MESSAGE((file.lines.size() < 400 || explains_its_size(file)),
                    file.path.string() << " has " << file.lines.size()
                                       << " lines; split it, or open it with a comment 'Length: why'");
    }
  }
  CHECK(seen > 50);
}

TEST_CASE("names say what they hold, and CUDA lives in the engine and the augmentations") {
  for (const auto& arrow : kArrows) {
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / arrow.first)) {
      const std::string stem = entry.path().stem().string();
      CHECK_MESSAGE((stem != "utils" && stem != "util" && stem != "common" && stem != "misc" && stem != "helpers"),
                    entry.path().string());
      const std::string extension = entry.path().extension().string();
      if (extension == ".cu" || extension == ".cuh")
        CHECK_MESSAGE((arrow.first == "engine" || arrow.first == "augment"),
                      entry.path().string() << ": CUDA sources exist only under engine/ and augment/");
    }
  }
}

#include "data/file_bytes.h"

#include <fstream>

#include "engine/error.h"

namespace noisymix {
namespace {

std::ifstream open_for_reading(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  NM_CHECK_AS(DataError, std::filesystem::exists(status), path.string(), ": no such file");
  NM_CHECK_AS(DataError, !std::filesystem::is_directory(status), path.string(),
              ": is a folder, expected a file");
  NM_CHECK_AS(DataError, std::filesystem::is_regular_file(status), path.string(), ": is not a regular file");
  std::ifstream in(path, std::ios::binary);
  NM_CHECK_AS(DataError, in.good(), path.string(), ": cannot be opened, check its permissions");
  return in;
}

}  // namespace

Bytes read_file_bytes(const std::filesystem::path& path, std::uint64_t limit) {
  std::ifstream in = open_for_reading(path);
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(path, error);
  NM_CHECK_AS(DataError, !error, path.string(), ": ", error.message());
  NM_CHECK_AS(DataError, size <= limit, path.string(), ": ", size, " bytes, more than the ", limit,
              " this reader takes");
  Bytes bytes(size);
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
  NM_CHECK_AS(DataError, static_cast<std::uint64_t>(in.gcount()) == size, path.string(), ": read only ",
              in.gcount(), " of ", size, " bytes");
  return bytes;
}

Bytes read_file_head(const std::filesystem::path& path, std::size_t count) {
  std::ifstream in = open_for_reading(path);
  Bytes bytes(count);
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(count));
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  return bytes;
}

std::vector<std::string> read_file_lines(const std::filesystem::path& path) {
  std::ifstream in = open_for_reading(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

bool checked_product(std::span<const std::uint64_t> sizes, std::uint64_t limit, std::uint64_t& product) {
  product = 1;
  bool zero = false;
  for (const std::uint64_t size : sizes) {
    if (size == 0) {
      zero = true;
    } else {
      if (size > limit / product) return false;
      product *= size;
    }
  }
  if (zero) product = 0;
  return true;
}

std::string printable(std::string_view text, std::size_t longest) {
  std::string result(text.substr(0, longest));
  for (char& c : result)
    if (static_cast<unsigned char>(c) < 32 || c == 127) c = '?';
  if (text.size() > longest) result += "...";
  return result;
}

}  // namespace noisymix

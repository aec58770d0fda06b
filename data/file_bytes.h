// Whole files as bytes, with the checks and messages that all formats share.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace noisymix {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

/// Largest file the readers take into memory. Any CIFAR or MNIST file is far below it.
constexpr std::uint64_t kLargestFile = std::uint64_t{8} << 30;

/// The content of a regular file. Throws DataError when it is missing, a folder, unreadable or above `limit`.
Bytes read_file_bytes(const std::filesystem::path& path, std::uint64_t limit = kLargestFile);

/// The first `count` bytes, or fewer when the file is shorter: to tell formats apart.
Bytes read_file_head(const std::filesystem::path& path, std::size_t count);

/// Non-empty lines of a text file without their line ends.
std::vector<std::string> read_file_lines(const std::filesystem::path& path);

/// Product of sizes, or false when that of the non-zero ones exceeds `limit`: the check before every
/// allocation.
bool checked_product(std::span<const std::uint64_t> sizes, std::uint64_t limit, std::uint64_t& product);

/// Text from a file for use in a message: control characters become '?', so that a message stays one line and
/// cannot steer a terminal; longer text is cut.
std::string printable(std::string_view text, std::size_t longest = 60);

// Unsigned integers at a place in the bytes; the caller has checked that they are inside.
inline std::uint32_t big_endian_32(const std::uint8_t* p) {
  return std::uint32_t{p[0]} << 24 | std::uint32_t{p[1]} << 16 | std::uint32_t{p[2]} << 8 | p[3];
}
inline std::uint16_t little_endian_16(const std::uint8_t* p) {
  return static_cast<std::uint16_t>(p[0] | p[1] << 8);
}
inline std::uint32_t little_endian_32(const std::uint8_t* p) {
  return std::uint32_t{p[3]} << 24 | std::uint32_t{p[2]} << 16 | std::uint32_t{p[1]} << 8 | p[0];
}
inline std::uint64_t little_endian_64(const std::uint8_t* p) {
  return std::uint64_t{little_endian_32(p + 4)} << 32 | little_endian_32(p);
}

}  // namespace noisymix

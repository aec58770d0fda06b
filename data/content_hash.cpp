#include "data/content_hash.h"

#include <algorithm>
#include <cstdio>

#include <zlib.h>

#include "data/file_bytes.h"

namespace noisymix {
namespace {

constexpr std::int64_t kHashedExamples = 2000;

std::string shown(std::uint64_t size, unsigned long crc) {
  char text[40];
  std::snprintf(text, sizeof text, "%llx-%08lx", static_cast<unsigned long long>(size), crc);
  return text;
}

/// zlib counts in 32 bits.
unsigned long add_bytes(unsigned long crc, const void* data, std::size_t size) {
  const auto* bytes = static_cast<const Bytef*>(data);
  while (size > 0) {
    const std::size_t part = std::min<std::size_t>(size, std::size_t{1} << 30);
    crc = crc32(crc, bytes, static_cast<uInt>(part));
    bytes += part;
    size -= part;
  }
  return crc;
}

unsigned long add_number(unsigned long crc, std::int64_t number) {
  std::uint8_t bytes[8];
  for (int i = 0; i < 8; ++i)
    bytes[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(number) >> (8 * i));
  return add_bytes(crc, bytes, sizeof bytes);
}

}  // namespace

std::string hash_file(const std::filesystem::path& path) {
  const Bytes bytes = read_file_bytes(path);
  return shown(bytes.size(), add_bytes(crc32(0, nullptr, 0), bytes.data(), bytes.size()));
}

std::string hash_dataset(const Dataset& dataset) {
  const std::int64_t size = dataset.size(), hashed = std::min(size, kHashedExamples);
  unsigned long crc = crc32(0, nullptr, 0);
  for (std::int64_t k = 0; k < hashed; ++k) {
    const std::int64_t index = k * size / hashed;
    const Example example = dataset.get(index);
    crc = add_number(add_number(crc, index), example.label);
    crc = add_bytes(crc, example.image.pixels.data(), example.image.pixels.size());
    crc = add_bytes(crc, example.features.data(), example.features.size() * sizeof(float));
  }
  return shown(static_cast<std::uint64_t>(size), crc);
}

}  // namespace noisymix

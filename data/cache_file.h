// The bytes of a cache of decoded pictures: header, records and table, as DecodedCache reads and writes them.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "data/file_bytes.h"

namespace noisymix {

/// What a cache is made of. Two caches of one key hold the same pictures.
struct CacheKey {
  std::uint32_t side = 0, fast_decode = 0;
  std::uint64_t pictures = 0, listing = 0;
  bool operator==(const CacheKey&) const = default;
};

struct CacheRecord {
  std::uint64_t number = 0;
  std::uint32_t height = 0, width = 0, crc = 0;
  std::uint64_t pixels() const { return std::uint64_t{3} * height * width; }
};

constexpr std::size_t kCacheHeaderBytes = 64, kCacheRecordBytes = 24;
using CacheHeader = std::array<std::uint8_t, kCacheHeaderBytes>;
using CacheRecordBytes = std::array<std::uint8_t, kCacheRecordBytes>;

/// The header; file_size is 0 while the cache is being filled.
CacheHeader pack_cache_header(const CacheKey& key, std::uint64_t file_size);
/// False when these bytes are no header of this version for this key. `file_size` receives what it says.
bool check_cache_header(ByteView bytes, const CacheKey& key, std::uint64_t& file_size);

CacheRecordBytes pack_cache_record(const CacheRecord& record);
/// Nothing when the bytes are no record of a picture that the readers take.
std::optional<CacheRecord> parse_cache_record(ByteView bytes);

/// CRC-32 as zlib computes it.
std::uint32_t crc_of(ByteView bytes);

/// The table at the end of a complete cache: for each picture the place of its record, and a CRC-32 of these.
Bytes pack_cache_table(const std::vector<std::uint64_t>& places);
/// Places of the records of a complete cache in memory, all inside it; nothing when header, size or table are
/// not as they should be. The records themselves are looked at when they are read.
std::optional<std::vector<std::uint64_t>> parse_cache(ByteView file, const CacheKey& key);

}  // namespace noisymix

#include "data/cache_file.h"

#include <algorithm>
#include <cstring>

#include <zlib.h>

#include "data/image_codec.h"

namespace noisymix {
namespace {

constexpr char kMagic[8] = {'n', 'm', 'c', 'a', 'c', 'h', 'e', '\n'};
constexpr std::uint32_t kVersion = 1;
constexpr std::uint32_t kRecordMagic = 0x4352434E;
constexpr std::size_t kHeaderCrcAt = 60;

void put_32(std::uint8_t* to, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) to[i] = static_cast<std::uint8_t>(value >> (8 * i));
}
void put_64(std::uint8_t* to, std::uint64_t value) {
  put_32(to, static_cast<std::uint32_t>(value));
  put_32(to + 4, static_cast<std::uint32_t>(value >> 32));
}

std::uint64_t table_bytes(std::uint64_t pictures) {
  return 8 * pictures + 4;
}

}  // namespace

std::uint32_t crc_of(ByteView bytes) {
  uLong crc = crc32(0, nullptr, 0);
  while (!bytes.empty()) {  // zlib counts in 32 bits
    const std::size_t part = std::min<std::size_t>(bytes.size(), std::size_t{1} << 30);
    crc = crc32(crc, bytes.data(), static_cast<uInt>(part));
    bytes = bytes.subspan(part);
  }
  return static_cast<std::uint32_t>(crc);
}

CacheHeader pack_cache_header(const CacheKey& key, std::uint64_t file_size) {
  CacheHeader header{};
  std::memcpy(header.data(), kMagic, sizeof kMagic);
  put_32(header.data() + 8, kVersion);
  put_32(header.data() + 12, key.side);
  put_32(header.data() + 16, key.fast_decode);
  put_64(header.data() + 24, key.pictures);
  put_64(header.data() + 32, key.listing);
  put_64(header.data() + 40, file_size);
  put_32(header.data() + kHeaderCrcAt, crc_of(ByteView(header).first(kHeaderCrcAt)));
  return header;
}

bool check_cache_header(ByteView bytes, const CacheKey& key, std::uint64_t& file_size) {
  if (bytes.size() < kCacheHeaderBytes) return false;
  file_size = little_endian_64(bytes.data() + 40);
  const CacheHeader expected = pack_cache_header(key, file_size);
  return std::equal(expected.begin(), expected.end(), bytes.begin());
}

CacheRecordBytes pack_cache_record(const CacheRecord& record) {
  CacheRecordBytes bytes{};
  put_32(bytes.data(), kRecordMagic);
  put_32(bytes.data() + 4, record.crc);
  put_64(bytes.data() + 8, record.number);
  put_32(bytes.data() + 16, record.height);
  put_32(bytes.data() + 20, record.width);
  return bytes;
}

std::optional<CacheRecord> parse_cache_record(ByteView bytes) {
  if (bytes.size() < kCacheRecordBytes || little_endian_32(bytes.data()) != kRecordMagic) return std::nullopt;
  CacheRecord record;
  record.crc = little_endian_32(bytes.data() + 4);
  record.number = little_endian_64(bytes.data() + 8);
  record.height = little_endian_32(bytes.data() + 16);
  record.width = little_endian_32(bytes.data() + 20);
  // Products of sides that fit are far below 64 bits.
  const bool fits =
      record.height >= 1 && record.width >= 1 && record.height <= (1u << 20) && record.width <= (1u << 20);
  return fits ? std::optional(record) : std::nullopt;
}

Bytes pack_cache_table(const std::vector<std::uint64_t>& places) {
  Bytes table(table_bytes(places.size()));
  for (std::size_t i = 0; i < places.size(); ++i) put_64(table.data() + 8 * i, places[i]);
  put_32(table.data() + table.size() - 4, crc_of(ByteView(table).first(table.size() - 4)));
  return table;
}

std::optional<std::vector<std::uint64_t>> parse_cache(ByteView file, const CacheKey& key) {
  std::uint64_t file_size = 0;
  if (!check_cache_header(file, key, file_size) || file_size != file.size()) return std::nullopt;
  const std::uint64_t rest = file.size() - kCacheHeaderBytes;
  if (key.pictures > rest / 8 || table_bytes(key.pictures) > rest) return std::nullopt;
  const ByteView table = file.last(table_bytes(key.pictures));
  if (crc_of(table.first(table.size() - 4)) != little_endian_32(table.data() + table.size() - 4))
    return std::nullopt;
  const std::uint64_t end = file.size() - table.size();
  std::vector<std::uint64_t> places(key.pictures);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::uint64_t place = places[i] = little_endian_64(table.data() + 8 * i);
    if (place < kCacheHeaderBytes || place > end || end - place < kCacheRecordBytes) return std::nullopt;
  }
  return places;
}

}  // namespace noisymix

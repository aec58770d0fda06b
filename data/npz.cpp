#include "data/npz.h"

#include <algorithm>

#include "data/gzip.h"

namespace noisymix {
namespace {

// Signatures and fixed sizes of the zip records.
constexpr std::uint32_t kLocalSignature = 0x04034B50, kEntrySignature = 0x02014B50,
                        kEndSignature = 0x06054B50;
constexpr std::uint32_t kEnd64Signature = 0x06064B50, kLocator64Signature = 0x07064B50;
constexpr std::size_t kLocalBytes = 30, kEntryBytes = 46, kEndBytes = 22, kEnd64Bytes = 56,
                      kLocator64Bytes = 20;
constexpr std::size_t kLongestComment = 0xFFFF;
constexpr std::uint32_t kSee64 = 0xFFFFFFFF;  // a 32-bit field whose value stands in a zip64 record
constexpr std::uint16_t kZip64Extra = 1;
constexpr std::uint16_t kStored = 0, kDeflated = 8;

struct Directory {
  std::uint64_t offset = 0, size = 0, entries = 0;
};

struct Entry {
  std::string name;
  std::uint16_t flags = 0, method = 0;
  std::uint32_t crc = 0;
  std::uint64_t packed = 0, size = 0, local_offset = 0;
};

class ZipReader {
 public:
  ZipReader(const std::string& name, ByteView bytes) : name_(name), bytes_(bytes) {}

  std::vector<Entry> entries() {
    directory_ = find_directory();
    std::vector<Entry> entries;
    std::uint64_t at = directory_.offset;
    for (std::uint64_t i = 0; i < directory_.entries; ++i) entries.push_back(read_entry(at));
    return entries;
  }

  Bytes content(const Entry& entry) const {
    const std::string full = name_ + ": " + printable(entry.name);
    NM_CHECK_AS(DataError, (entry.flags & 1) == 0, full, ": is encrypted, which is not supported");
    need(entry.local_offset, kLocalBytes, "a file header");
    const std::uint8_t* local = at(entry.local_offset);
    if (little_endian_32(local) != kLocalSignature) damaged("a file header has a wrong signature");
    // Sizes are taken from the directory: streamed archives leave them out here.
    const std::uint64_t begin =
        entry.local_offset + kLocalBytes + little_endian_16(local + 26) + little_endian_16(local + 28);
    need(begin, entry.packed, "a file's content");
    NM_CHECK_AS(DataError, entry.size <= kLargestFile, full, ": ", entry.size,
                " bytes unpacked, more than the ", kLargestFile, " this reader takes");
    const ByteView packed = bytes_.subspan(begin, entry.packed);
    Bytes result;
    if (entry.method == kDeflated) {
      result = inflate_raw(full, packed, entry.size);
    } else {
      NM_CHECK_AS(DataError, entry.method == kStored, full, ": compression method ", entry.method,
                  " is not supported, expected stored or deflated");
      NM_CHECK_AS(DataError, entry.packed == entry.size, full, ": is stored but its two sizes differ");
      result.assign(packed.begin(), packed.end());
    }
    NM_CHECK_AS(DataError, crc32_of(result) == entry.crc, full, ": checksum is wrong, the file is damaged");
    return result;
  }

 private:
  [[noreturn]] void damaged(const char* what) const {
    fail<DataError>(name_, ": not a valid .npz archive: ", what, "; the file is truncated or damaged");
  }
  void need(std::uint64_t offset, std::uint64_t count, const char* what) const {
    if (offset > bytes_.size() || count > bytes_.size() - offset)
      fail<DataError>(name_, ": ", what, " lies outside the archive; the file is truncated or damaged");
  }
  const std::uint8_t* at(std::uint64_t offset) const { return bytes_.data() + offset; }

  /// The end record is the last one, followed only by a comment of known length.
  std::size_t find_end() const {
    if (bytes_.size() < kEndBytes) damaged("it is too short");
    const std::size_t last = bytes_.size() - kEndBytes,
                      first = last > kLongestComment ? last - kLongestComment : 0;
    for (std::size_t offset = last + 1; offset-- > first;)
      if (little_endian_32(at(offset)) == kEndSignature && little_endian_16(at(offset + 20)) == last - offset)
        return offset;
    damaged("it has no end record");
  }

  Directory find_directory() const {
    const std::size_t end = find_end();
    Directory found{.offset = little_endian_32(at(end + 16)),
                    .size = little_endian_32(at(end + 12)),
                    .entries = little_endian_16(at(end + 10))};
    if (found.entries == 0xFFFF || found.size == kSee64 || found.offset == kSee64) {
      if (end < kLocator64Bytes || little_endian_32(at(end - kLocator64Bytes)) != kLocator64Signature)
        damaged("its zip64 locator is missing");
      const std::uint64_t end64 = little_endian_64(at(end - kLocator64Bytes + 8));
      need(end64, kEnd64Bytes, "the zip64 end record");
      if (little_endian_32(at(end64)) != kEnd64Signature)
        damaged("its zip64 end record has a wrong signature");
      found = {.offset = little_endian_64(at(end64 + 48)),
               .size = little_endian_64(at(end64 + 40)),
               .entries = little_endian_64(at(end64 + 32))};
    }
    need(found.offset, found.size, "the directory");
    // Checked before the loop over entries: a claimed number costs nothing to write.
    if (found.entries > found.size / kEntryBytes) damaged("it has fewer entries than it claims");
    return found;
  }

  Entry read_entry(std::uint64_t& position) const {
    const std::uint64_t directory_end = directory_.offset + directory_.size;
    if (position > directory_end || directory_end - position < kEntryBytes)
      damaged("its directory ends early");
    const std::uint8_t* p = at(position);
    if (little_endian_32(p) != kEntrySignature) damaged("a directory entry has a wrong signature");
    const std::uint64_t name_length = little_endian_16(p + 28), extra = little_endian_16(p + 30);
    const std::uint64_t length = kEntryBytes + name_length + extra + little_endian_16(p + 32);
    if (length > directory_end - position) damaged("its directory ends early");
    Entry entry{.name = std::string(reinterpret_cast<const char*>(p) + kEntryBytes, name_length),
                .flags = little_endian_16(p + 8),
                .method = little_endian_16(p + 10),
                .crc = little_endian_32(p + 16),
                .packed = little_endian_32(p + 20),
                .size = little_endian_32(p + 24),
                .local_offset = little_endian_32(p + 42)};
    read_zip64_sizes(bytes_.subspan(position + kEntryBytes + name_length, extra), entry);
    position += length;
    return entry;
  }

  /// The zip64 field holds, in this order, those of size, packed size and offset that did not fit 32 bits.
  void read_zip64_sizes(ByteView extra, Entry& entry) const {
    while (extra.size() >= 4) {
      const std::uint16_t id = little_endian_16(extra.data()), length = little_endian_16(extra.data() + 2);
      if (length > extra.size() - 4u) damaged("an extra field is too long");
      ByteView field = extra.subspan(4, length);
      extra = extra.subspan(4u + length);
      if (id != kZip64Extra) continue;
      for (std::uint64_t* value : {&entry.size, &entry.packed, &entry.local_offset}) {
        if (*value != kSee64) continue;
        if (field.size() < 8) damaged("a zip64 field is too short");
        *value = little_endian_64(field.data());
        field = field.subspan(8);
      }
    }
  }

  const std::string& name_;
  ByteView bytes_;
  Directory directory_;
};

}  // namespace

std::vector<std::pair<std::string, NpyArray>> parse_npz(const std::string& name, ByteView bytes) {
  ZipReader zip(name, bytes);
  std::vector<std::pair<std::string, NpyArray>> arrays;
  std::uint64_t total = 0;
  for (const Entry& entry : zip.entries()) {
    std::string key = entry.name;
    if (key.ends_with(".npy")) key.resize(key.size() - 4);
    for (const auto& [other, array] : arrays)
      NM_CHECK_AS(DataError, other != key, name, ": holds two arrays named '", printable(key), "'");
    // Entries may point at the same bytes; the sum keeps a small archive from unpacking without end.
    NM_CHECK_AS(DataError, entry.size <= kLargestFile - total, name, ": unpacks to more than the ",
                kLargestFile, " bytes this reader takes");
    total += entry.size;
    arrays.emplace_back(key, parse_npy(name + ": " + printable(entry.name), zip.content(entry)));
  }
  return arrays;
}

std::vector<std::pair<std::string, NpyArray>> read_npz(const std::filesystem::path& path) {
  return parse_npz(path.string(), read_file_bytes(path));
}

}  // namespace noisymix

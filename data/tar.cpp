#include "data/tar.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>
#include <system_error>

#include "engine/error.h"

namespace noisymix {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kBlock = 512;
constexpr std::uint64_t kLongestName = 4096;        // also of the records that hold names
constexpr std::uint64_t kLargestRecords = 1 << 20;  // a pax header; ordinary ones have a hundred bytes
constexpr std::uint64_t kLargestNumber = std::uint64_t{1} << 62;
constexpr int kBlocksAfterEnd = 20;  // writers fill up to records of 20 blocks

using Block = std::array<std::uint8_t, kBlock>;

struct Field {
  std::size_t at, length;
};
constexpr Field kName{0, 100}, kSize{124, 12}, kChecksum{148, 8}, kMagic{257, 6}, kPrefix{345, 155};
constexpr std::size_t kTypeAt = 156;

std::string_view text_of(ByteView bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text.substr(0, text.find('\0'));
}
std::string_view text_of(const Block& block, Field field) {
  return text_of(ByteView(block).subspan(field.at, field.length));
}

/// Octal digits with blanks around them, or, marked by the first bit, a big-endian binary number.
std::optional<std::uint64_t> number_of(const Block& block, Field field) {
  const std::uint8_t* bytes = block.data() + field.at;
  std::uint64_t value = 0;
  if (bytes[0] & 0x80) {
    value = bytes[0] & 0x7F;
    for (std::size_t i = 1; i < field.length; ++i) {
      if (value > kLargestNumber >> 8) return std::nullopt;
      value = value << 8 | bytes[i];
    }
    return value;
  }
  std::string_view digits = text_of(block, field);
  while (digits.starts_with(' ')) digits.remove_prefix(1);
  while (digits.ends_with(' ')) digits.remove_suffix(1);
  for (const char digit : digits) {
    if (digit < '0' || digit > '7') return std::nullopt;
    value = value << 3 | static_cast<std::uint64_t>(digit - '0');  // 12 digits are 36 bits
  }
  return value;
}

bool is_zero(const Block& block) {
  return std::all_of(block.begin(), block.end(), [](std::uint8_t byte) { return byte == 0; });
}

/// The sum of a header's bytes, its own field counted as blanks. Old programs added signed bytes.
bool checksum_holds(const Block& block) {
  const auto stored = number_of(block, kChecksum);
  std::int64_t plain = 0, with_signs = 0;
  for (std::size_t i = 0; i < block.size(); ++i) {
    const bool own = i >= kChecksum.at && i < kChecksum.at + kChecksum.length;
    plain += own ? ' ' : block[i];
    with_signs += own ? ' ' : static_cast<std::int8_t>(block[i]);
  }
  if (!stored || *stored > 1 << 20) return false;
  return static_cast<std::int64_t>(*stored) == plain || static_cast<std::int64_t>(*stored) == with_signs;
}

std::uint64_t padded(std::uint64_t size) {
  return (size + kBlock - 1) / kBlock * kBlock;
}

/// What records before a header say about the entry after it.
struct Overrides {
  std::optional<std::string> name{};
  std::optional<std::uint64_t> size{};
};

class Lister {
 public:
  Lister(const std::string& archive, std::uint64_t size, const ReadAt& read)
      : archive_(archive), size_(size), read_(read) {}

  std::vector<TarEntry> list() {
    Block block;
    check_beginning();
    while (true) {
      NM_CHECK_AS(DataError, position_ <= size_ && size_ - position_ >= kBlock, archive_, ": cut short: ",
                  entries_.empty() ? "no entry" : "after entry " + shown(entries_.back().name), " byte ",
                  position_, " should begin another entry or the end mark, the file ends at ", size_,
                  "; copy it again");
      read_(position_, block);
      position_ += kBlock;
      if (is_zero(block)) break;
      NM_CHECK_AS(DataError, checksum_holds(block), archive_, ": the header at byte ", position_ - kBlock,
                  " has a wrong checksum, so this is no tar archive or a damaged one; copy it again");
      take(block);
    }
    check_end(block);
    return std::move(entries_);
  }

 private:
  static std::string shown(std::string_view name) { return printable(name, 120); }

  void check_beginning() const {
    NM_CHECK_AS(DataError, size_ >= kBlock, archive_, ": ", size_, " bytes are too few for a tar archive");
    std::array<std::uint8_t, 6> head;
    read_(0, head);
    const bool gzip = head[0] == 0x1F && head[1] == 0x8B, bzip = text_of(head).starts_with("BZh");
    const bool xz = text_of(head).starts_with(
                   "\xFD"
                   "7zXZ"),
               zstd = little_endian_32(head.data()) == 0xFD2FB528;
    NM_CHECK_AS(DataError, !gzip && !bzip && !xz && !zstd, archive_,
                ": is compressed, and pictures are read at their place: decompress it first (",
                gzip   ? "gunzip"
                : bzip ? "bunzip2"
                : xz   ? "unxz"
                       : "unzstd",
                ")");
  }

  /// Archives that were joined with cat would else silently lose all but the first.
  void check_end(Block& block) {
    for (int i = 0; i < kBlocksAfterEnd && position_ <= size_ && size_ - position_ >= kBlock; ++i) {
      read_(position_, block);
      NM_CHECK_AS(DataError, is_zero(block), archive_, ": has more after its end mark at byte ", position_,
                  "; if archives were joined, give them as separate files");
      position_ += kBlock;
    }
  }

  /// The data of the entry whose header has just been read.
  void check_inside(std::string_view name, std::uint64_t size) const {
    NM_CHECK_AS(DataError, size <= size_ - position_, archive_, ": cut short: entry ", shown(name),
                " ends at byte ", position_ + size, ", the file at ", size_, "; copy it again");
  }

  Bytes records(std::string_view name, std::uint64_t size, std::uint64_t limit) const {
    NM_CHECK_AS(DataError, size <= limit, archive_, ": the record at byte ", position_, " has ", size,
                " bytes, more than the ", limit, " this reader takes");
    check_inside(name, size);
    Bytes bytes(size);
    read_(position_, bytes);
    return bytes;
  }

  void skip(std::uint64_t size) {  // size is inside the file, so this cannot overflow
    position_ += padded(size);
  }

  void take(const Block& block) {
    const auto field = number_of(block, kSize);
    NM_CHECK_AS(DataError, field && *field < kLargestNumber, archive_, ": the header at byte ",
                position_ - kBlock, " has a size that is no number");
    const char type = static_cast<char>(block[kTypeAt]);
    const std::string name = name_of(block);
    switch (type) {
      case 'L':
        next_.name = std::string(text_of(records(name, *field, kLongestName + 1)));
        return skip(*field);
      case 'x':
        read_pax(records(name, *field, kLargestRecords));
        return skip(*field);
      case 'g':  // records about all entries: comments and times
      case 'K':  // the long target of a link
        check_inside(name, *field);
        return skip(*field);
      case 'S':
      case 'M':
        fail<DataError>(archive_, ": entry ", shown(name), " is ",
                        type == 'S' ? "sparse" : "continued elsewhere",
                        "; pack it again without that option of tar");
      default:
        return take_entry(type, next_.name.value_or(name), next_.size.value_or(*field));
    }
  }

  void take_entry(char type, const std::string& name, std::uint64_t size) {
    next_ = {};
    const bool regular = (type == '0' || type == '\0' || type == '7') && !name.ends_with('/');
    if (type >= '1' && type <= '6') size = 0;  // links, devices and folders have no data, whatever they say
    check_inside(name, size);
    if (regular) {
      NM_CHECK_AS(DataError, !name.empty() && name.size() <= kLongestName, archive_, ": the entry at byte ",
                  position_, " has a name of ", name.size(), " bytes, expected 1 to ", kLongestName);
      NM_CHECK_AS(DataError,
                  std::none_of(name.begin(), name.end(),
                               [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; }),
                  archive_, ": entry ", shown(name), " has control characters in its name; rename the file");
      entries_.push_back({name, position_, size});
    }
    skip(size);
  }

  static std::string name_of(const Block& block) {
    std::string name(text_of(block, kName));
    // GNU writes blanks behind the magic, and other things where the prefix is.
    const std::string_view magic(reinterpret_cast<const char*>(block.data()) + kMagic.at, kMagic.length);
    const std::string_view prefix = text_of(block, kPrefix);
    if (magic == std::string_view("ustar\0", 6) && !prefix.empty()) name = std::string(prefix) + "/" + name;
    return name;
  }

  /// Records "LENGTH KEY=VALUE\n", the length in decimal and counting itself.
  void read_pax(const Bytes& bytes) {
    std::string_view rest(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    while (!rest.empty() && rest[0] != '\0') {
      const std::size_t blank = rest.find(' ');
      const auto length = blank == std::string_view::npos ? std::nullopt : decimal(rest.substr(0, blank));
      check_pax(length && *length > blank + 1 && *length <= rest.size() && rest[*length - 1] == '\n');
      const std::string_view record = rest.substr(blank + 1, *length - blank - 2);
      const std::size_t equals = record.find('=');
      check_pax(equals != std::string_view::npos);
      apply_pax(record.substr(0, equals), record.substr(equals + 1));
      rest.remove_prefix(*length);
    }
  }

  void apply_pax(std::string_view key, std::string_view value) {
    NM_CHECK_AS(DataError, !key.starts_with("GNU.sparse"), archive_, ": the entry at byte ", position_,
                " is sparse; pack it again without that option of tar");
    if (key == "path") next_.name = std::string(value);
    if (key == "size") {
      next_.size = decimal(value);
      check_pax(next_.size.has_value());
    }
  }

  void check_pax(bool ok) const {
    NM_CHECK_AS(DataError, ok, archive_, ": the pax records at byte ", position_,
                " are damaged; copy it again");
  }

  static std::optional<std::uint64_t> decimal(std::string_view digits) {
    std::uint64_t value = 0;
    if (digits.empty()) return std::nullopt;
    for (const char digit : digits) {
      if (digit < '0' || digit > '9' || value > kLargestNumber / 10) return std::nullopt;
      value = value * 10 + static_cast<std::uint64_t>(digit - '0');
    }
    return value < kLargestNumber ? std::optional(value) : std::nullopt;
  }

  const std::string& archive_;
  std::uint64_t size_;
  const ReadAt& read_;
  std::uint64_t position_ = 0;
  Overrides next_;
  std::vector<TarEntry> entries_;
};

/// A file that is read at positions: no shared place, so any number of threads may.
class PositionedFile {
 public:
  explicit PositionedFile(const fs::path& path) : path_(path) {
    do descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    while (descriptor_ < 0 && errno == EINTR);
    NM_CHECK_AS(DataError, descriptor_ >= 0, path.string(),
                ": cannot be opened: ", std::system_category().message(errno));
    struct stat status {};
    const bool regular = ::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode);
    if (!regular) ::close(descriptor_);
    NM_CHECK_AS(DataError, regular, path.string(), ": is not a regular file");
    size_ = static_cast<std::uint64_t>(status.st_size);
  }
  ~PositionedFile() { ::close(descriptor_); }
  PositionedFile(const PositionedFile&) = delete;
  PositionedFile& operator=(const PositionedFile&) = delete;

  std::uint64_t size() const { return size_; }
  void read(std::uint64_t offset, std::span<std::uint8_t> target) const {
    while (!target.empty()) {
      const ::ssize_t count =
          ::pread(descriptor_, target.data(), target.size(), static_cast<::off_t>(offset));
      if (count < 0 && errno == EINTR) continue;
      NM_CHECK_AS(DataError, count > 0, path_.string(), ": reading at byte ", offset,
                  " failed: ", count == 0 ? "the file ends there" : std::system_category().message(errno));
      target = target.subspan(static_cast<std::size_t>(count));
      offset += static_cast<std::uint64_t>(count);
    }
  }

 private:
  const fs::path path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace

std::vector<TarEntry> list_tar(const std::string& name, std::uint64_t size, const ReadAt& read) {
  return Lister(name, size, read).list();
}

std::vector<TarEntry> list_tar(const fs::path& path) {
  const PositionedFile file(path);
  const ReadAt read = [&](std::uint64_t offset, std::span<std::uint8_t> target) {
    file.read(offset, target);
  };
  return list_tar(path.string(), file.size(), read);
}

Bytes read_tar_entry(const fs::path& path, const TarEntry& entry, std::uint64_t limit) {
  const std::string name = path.string() + ":" + printable(entry.name, 120);
  NM_CHECK_AS(DataError, entry.size <= limit, name, ": ", entry.size, " bytes, more than the ", limit,
              " this reader takes");
  const PositionedFile file(path);
  NM_CHECK_AS(DataError, entry.offset <= file.size() && entry.size <= file.size() - entry.offset, name,
              ": the archive has become shorter since it was listed");
  Bytes bytes(entry.size);
  file.read(entry.offset, bytes);
  return bytes;
}

}  // namespace noisymix

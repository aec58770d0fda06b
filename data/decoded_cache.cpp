#include "data/decoded_cache.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>

#include "data/cache_file.h"
#include "data/image_codec.h"
#include "data/image_resize.h"
#include "engine/cpu/parallel.h"
#include "engine/error.h"

namespace noisymix {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kPicturesPerWrite = 64;  // decoded in parallel, and what an interruption may lose

/// The file that is being filled: locked against other processes, positions advance by what is written.
class PartialFile {
 public:
  PartialFile(fs::path path, const CacheKey& key) : path_(std::move(path)), key_(key) { open_locked(); }
  ~PartialFile() { ::close(descriptor_); }
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  /// Keeps the whole records at the beginning, if they are of this key, and cuts off the rest.
  void resume() {
    Bytes header(kCacheHeaderBytes);
    std::uint64_t ignored = 0;
    if (!read(0, header) || !check_cache_header(header, key_, ignored)) {
      cut(0);
      append(pack_cache_header(key_, 0));
      return;
    }
    position_ = kCacheHeaderBytes;
    while (places_.size() < key_.pictures && keep_record()) {
    }
    cut(position_);
  }

  std::int64_t records() const { return std::ssize(places_); }

  void append_picture(const Image& image) {
    CacheRecord record;
    record.number = places_.size();
    record.height = static_cast<std::uint32_t>(image.height);
    record.width = static_cast<std::uint32_t>(image.width);
    record.crc = crc_of(image.pixels);
    places_.push_back(position_);
    append(pack_cache_record(record));
    append(image.pixels);
  }

  /// Table and header, and then the name of a complete cache.
  void finish(const fs::path& name) {
    append(pack_cache_table(places_));
    write(0, pack_cache_header(key_, position_));
    check(::fsync(descriptor_) == 0, "flushed");
    check(::rename(path_.c_str(), name.c_str()) == 0, "renamed");
    const fs::path folder = name.has_parent_path() ? name.parent_path() : fs::path(".");
    const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory >= 0) {
      ::fsync(directory);  // not every file system can
      ::close(directory);
    }
  }

 private:
  void check(bool ok, const char* done) const {
    const int error = errno;
    NM_CHECK_AS(DataError, ok, path_.string(), ": cannot be ", done, ": ",
                std::system_category().message(error));
  }

  void open_locked() {
    while (true) {
      descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
      check(descriptor_ >= 0, "written");
      const bool locked = ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
      struct stat mine {
      }, named{};
      const bool same = locked && ::fstat(descriptor_, &mine) == 0 && ::stat(path_.c_str(), &named) == 0 &&
                        mine.st_ino == named.st_ino && mine.st_dev == named.st_dev;
      if (same) return;
      ::close(descriptor_);  // another process has completed and renamed it in between: try the name again
      NM_CHECK_AS(DataError, locked, path_.string(),
                  ": another process is filling this cache; wait for it or choose another data.cache");
    }
  }

  bool keep_record() {
    Bytes bytes(kCacheRecordBytes);
    if (!read(position_, bytes)) return false;
    const auto record = parse_cache_record(bytes);
    if (!record || record->number != places_.size()) return false;
    struct stat status {};
    const auto pixels_at = position_ + kCacheRecordBytes;
    if (::fstat(descriptor_, &status) != 0 || status.st_size < 0) return false;
    const auto size = static_cast<std::uint64_t>(status.st_size);
    if (pixels_at > size || record->pixels() > size - pixels_at) return false;
    Bytes pixels(record->pixels());
    if (!read(pixels_at, pixels) || crc_of(pixels) != record->crc) return false;
    places_.push_back(position_);
    position_ = pixels_at + pixels.size();
    return true;
  }

  bool read(std::uint64_t at, Bytes& target) const {
    for (std::size_t done = 0; done < target.size();) {
      const ::ssize_t count =
          ::pread(descriptor_, target.data() + done, target.size() - done, static_cast<::off_t>(at + done));
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return false;
      done += static_cast<std::size_t>(count);
    }
    return true;
  }

  void write(std::uint64_t at, ByteView bytes) const {
    while (!bytes.empty()) {
      const ::ssize_t count = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<::off_t>(at));
      if (count < 0 && errno == EINTR) continue;
      check(count > 0, "written");
      bytes = bytes.subspan(static_cast<std::size_t>(count));
      at += static_cast<std::uint64_t>(count);
    }
  }

  void append(ByteView bytes) {
    write(position_, bytes);
    position_ += bytes.size();
  }

  void cut(std::uint64_t size) {
    check(::ftruncate(descriptor_, static_cast<::off_t>(size)) == 0, "shortened");
    position_ = size;
  }

  fs::path path_;
  CacheKey key_;
  int descriptor_ = -1;
  std::uint64_t position_ = 0;
  std::vector<std::uint64_t> places_;
};

/// A whole file mapped for reading; empty when there is none.
class MappedFile {
 public:
  MappedFile() = default;
  ~MappedFile() { close(); }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  void open(const fs::path& path) {
    close();
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return;
    struct stat status {};
    if (::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
      const auto size = static_cast<std::size_t>(status.st_size);
      void* const start = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor, 0);
      if (start != MAP_FAILED) bytes_ = {static_cast<const std::uint8_t*>(start), size};
    }
    ::close(descriptor);
  }
  void close() {
    if (!bytes_.empty()) ::munmap(const_cast<std::uint8_t*>(bytes_.data()), bytes_.size());
    bytes_ = {};
  }
  ByteView bytes() const { return bytes_; }

 private:
  ByteView bytes_;
};

/// Decodes what is missing, part by part.
void fill(PartialFile& file, const EncodedPictures& pictures, const CacheOptions& options) {
  const std::int64_t total = pictures.size();
  std::vector<Image> images(static_cast<std::size_t>(kPicturesPerWrite));
  for (std::int64_t first = file.records(); first < total; first += kPicturesPerWrite) {
    NM_CHECK_AS(DataError, !(options.should_stop && options.should_stop()), options.file.string(),
                ": stopped after ", first, " of ", total, " pictures; the next run continues there");
    const std::int64_t count = std::min(kPicturesPerWrite, total - first);
    cpu::parallel_for(count, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        images[static_cast<std::size_t>(i)] = decode_to_side(
            pictures.name(first + i), pictures.read(first + i), options.side, options.fast_decode);
    });
    for (std::int64_t i = 0; i < count; ++i) file.append_picture(images[static_cast<std::size_t>(i)]);
    if (options.progress) options.progress(first + count, total);
  }
}

}  // namespace

struct DecodedCache::Impl {
  fs::path path;
  MappedFile file;
  std::vector<std::uint64_t> places;
  std::int64_t decoded = 0;
};

DecodedCache::DecodedCache(const EncodedPictures& pictures, const CacheOptions& options)
    : impl_(std::make_unique<Impl>()) {
  NM_CHECK_AS(ConfigError, options.side >= 0 && options.side <= kLargestImageSide,
              "[cache] the shorter side is ", options.side, ", expected 0 (as it is) to ", kLargestImageSide);
  const CacheKey key{static_cast<std::uint32_t>(options.side), options.fast_decode ? 1u : 0u,
                     static_cast<std::uint64_t>(pictures.size()), listing_hash(pictures)};
  impl_->path = options.file;
  const auto open = [&] {
    impl_->file.open(options.file);
    auto places = parse_cache(impl_->file.bytes(), key);
    if (places) impl_->places = std::move(*places);
    return places.has_value();
  };
  if (open()) return;
  std::error_code error;
  if (options.file.has_parent_path()) fs::create_directories(options.file.parent_path(), error);
  NM_CHECK_AS(DataError, !error, options.file.parent_path().string(),
              ": cannot be created: ", error.message());
  {
    PartialFile partial(options.file.string() + ".partial", key);
    if (open()) {  // completed by another process while this one looked
      fs::remove(options.file.string() + ".partial", error);
      return;
    }
    partial.resume();
    impl_->decoded = pictures.size() - partial.records();
    fill(partial, pictures, options);
    partial.finish(options.file);
  }
  NM_CHECK_AS(DataError, open(), options.file.string(), ": cannot be read back after writing");
}

DecodedCache::~DecodedCache() = default;

std::int64_t DecodedCache::size() const {
  return std::ssize(impl_->places);
}

std::int64_t DecodedCache::decoded() const {
  return impl_->decoded;
}

Image DecodedCache::get(std::int64_t index) const {
  NM_CHECK(index >= 0 && index < size(), "[cache] picture ", index, " of ", size(), " does not exist");
  const ByteView file = impl_->file.bytes();
  const std::uint64_t place =
      impl_->places[static_cast<std::size_t>(index)];  // its record is inside the file
  const auto record = parse_cache_record(file.subspan(place));
  const std::uint64_t pixels_at = place + kCacheRecordBytes;
  const bool whole = record && record->number == static_cast<std::uint64_t>(index) &&
                     record->pixels() <= file.size() - pixels_at &&
                     crc_of(file.subspan(pixels_at, record->pixels())) == record->crc;
  NM_CHECK_AS(DataError, whole, impl_->path.string(), ": picture ", index,
              " is damaged; remove the file, it will be made again");
  Image image(static_cast<int>(record->height), static_cast<int>(record->width), 3);
  const ByteView pixels = file.subspan(pixels_at, record->pixels());
  std::copy(pixels.begin(), pixels.end(), image.pixels.begin());
  return image;
}

Image decode_to_side(const std::string& name, ByteView bytes, int side, bool fast_decode) {
  Image image =
      to_rgb(fast_decode && side > 0 ? decode_image_at_least(name, bytes, side) : decode_image(name, bytes));
  if (side == 0) return image;
  const std::int64_t shorter = std::min(image.height, image.width),
                     longer = std::max(image.height, image.width);
  NM_CHECK_AS(DataError, longer * side / shorter * side <= kLargestImagePixels, name, ": is ", image.height,
              "x", image.width, ", too long and narrow to be brought to a shorter side of ", side);
  return resize_shorter_side(image, side);
}

}  // namespace noisymix

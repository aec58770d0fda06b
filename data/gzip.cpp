#include "data/gzip.h"

#include <algorithm>
#include <limits>

#include <zlib.h>

#include "engine/error.h"

namespace noisymix {
namespace {

constexpr int kWindowBits = 15,
              kGzipFlag = 16;  // zlib: +16 expects a gzip header, a negative size means raw deflate
constexpr std::size_t kStep = 1 << 16;

/// Owns a zlib stream over bytes that may be longer than zlib's 32-bit counters.
class Inflater {
 public:
  Inflater(const std::string& name, ByteView input, int window_bits) : name_(name), input_(input) {
    NM_CHECK_AS(DataError, inflateInit2(&stream_, window_bits) == Z_OK, name, ": zlib cannot start");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Appends one stream's content to `out`, which may grow to `limit`; returns at its end.
  void run(Bytes& out, std::uint64_t limit) {
    for (int code = Z_OK; code != Z_STREAM_END;) {
      feed();
      // Even at the limit one byte of room is needed to tell "just fits" from "too long".
      const std::size_t room =
          static_cast<std::size_t>(std::min<std::uint64_t>(kStep, limit - out.size() + 1));
      stream_.next_out = step_.data();
      stream_.avail_out = static_cast<uInt>(room);
      code = inflate(&stream_, Z_NO_FLUSH);
      out.insert(out.end(), step_.data(), stream_.next_out);
      NM_CHECK_AS(DataError, out.size() <= limit, name_, ": holds more than the expected ", limit, " bytes");
      NM_CHECK_AS(DataError, code != Z_BUF_ERROR, name_,
                  ": compressed data ends early, the file is truncated");
      NM_CHECK_AS(DataError, code == Z_OK || code == Z_STREAM_END, name_, ": compressed data is damaged (",
                  stream_.msg ? stream_.msg : "zlib error", ")");
    }
  }
  /// Bytes of the input that no stream has used yet.
  std::size_t left() const { return input_.size() - position_ + stream_.avail_in; }
  bool next_member_begins() const {
    return left() >= 2 && input_[input_.size() - left()] == 0x1F &&
           input_[input_.size() - left() + 1] == 0x8B;
  }
  void restart() { inflateReset(&stream_); }

 private:
  void feed() {
    if (stream_.avail_in > 0 || position_ == input_.size()) return;
    const std::size_t count =
        std::min<std::size_t>(input_.size() - position_, std::numeric_limits<uInt>::max());
    stream_.next_in = const_cast<Bytef*>(input_.data() + position_);  // zlib's interface predates const
    stream_.avail_in = static_cast<uInt>(count);
    position_ += count;
  }

  const std::string& name_;
  ByteView input_;
  std::size_t position_ = 0;   ///< input handed to zlib
  Bytes step_ = Bytes(kStep);  ///< what one call of zlib may write
  z_stream stream_{};
};

}  // namespace

bool is_gzip(ByteView bytes) {
  return bytes.size() >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B;
}

Bytes gunzip(const std::string& name, ByteView bytes, std::uint64_t limit) {
  Bytes out;
  Inflater inflater(name, bytes, kWindowBits + kGzipFlag);
  inflater.run(out, limit);
  while (inflater.next_member_begins()) {
    inflater.restart();
    inflater.run(out, limit);
  }
  NM_CHECK_AS(DataError, inflater.left() == 0, name, ": ", inflater.left(), " bytes follow the gzip data");
  return out;
}

Bytes inflate_raw(const std::string& name, ByteView bytes, std::uint64_t size) {
  Bytes out;
  Inflater inflater(name, bytes, -kWindowBits);
  inflater.run(out, size);
  NM_CHECK_AS(DataError, out.size() == size, name, ": holds ", out.size(), " bytes, expected ", size);
  NM_CHECK_AS(DataError, inflater.left() == 0, name, ": ", inflater.left(),
              " bytes follow the compressed data");
  return out;
}

std::uint32_t crc32_of(ByteView bytes) {
  return static_cast<std::uint32_t>(crc32_z(0, bytes.data(), bytes.size()));
}

Bytes read_maybe_gzip(const std::filesystem::path& path) {
  Bytes bytes = read_file_bytes(path);
  return is_gzip(bytes) ? gunzip(path.string(), bytes) : bytes;
}

}  // namespace noisymix

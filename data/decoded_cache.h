// Decoded pictures in one large file: what is slow to decode is decoded once, and then read through the page
// cache.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "augment/image.h"
#include "data/encoded_pictures.h"

namespace noisymix {

struct CacheOptions {
  std::filesystem::path file;  ///< made with its folder; FILE.partial beside it while it is being filled
  int side = 0;                ///< shorter side of the stored pictures; 0 keeps them as they are
  bool fast_decode = false;    ///< decode_image_at_least() instead of decode_image()
  std::function<void(std::int64_t done, std::int64_t total)> progress{};
  std::function<bool()>
      should_stop{};  ///< filling ends with a DataError that says so, and continues next time
};

/// RGB pictures by index, mapped into memory. const and thread-safe.
///
/// The file: a header (magic, version, byte order, side, kind of decoding, number of pictures, listing_hash()
/// of the sources, size of the file); per picture a record (number, height, width, CRC-32 of the pixels) and
/// the pixels; a table of the records' places with a CRC-32 of its own. It gets its name when it is complete.
/// Until then the same records collect in FILE.partial, and a later run continues behind the last whole one,
/// so an interruption costs seconds.
class DecodedCache {
 public:
  /// Opens the cache, or fills it first when it is missing, cut short, damaged, or of other sources or
  /// options. Throws DataError when a picture cannot be decoded, the file cannot be written, or another
  /// process is filling it.
  DecodedCache(const EncodedPictures& pictures, const CacheOptions& options);
  ~DecodedCache();
  DecodedCache(const DecodedCache&) = delete;
  DecodedCache& operator=(const DecodedCache&) = delete;

  std::int64_t size() const;
  /// Throws DataError when the pixels have changed since they were written.
  Image get(std::int64_t index) const;
  /// Pictures that had to be decoded to open it; 0 when it was there.
  std::int64_t decoded() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A picture as RGB with the shorter side `side` (0: as it is).
Image decode_to_side(const std::string& name, ByteView bytes, int side, bool fast_decode);

}  // namespace noisymix

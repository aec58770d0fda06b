// Pictures that are decoded when they are needed, wherever their bytes lie: files of a folder, entries of tar
// shards.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/file_bytes.h"

namespace noisymix {

/// Labelled PNG or JPEG pictures by index. All functions are const and thread-safe.
class EncodedPictures {
 public:
  virtual ~EncodedPictures() = default;
  virtual std::int64_t size() const = 0;
  /// The bytes of one picture. Throws DataError naming it.
  virtual Bytes read(std::int64_t index) const = 0;
  /// The file, or archive and entry, for messages.
  virtual std::string name(std::int64_t index) const = 0;
  virtual std::int64_t label(std::int64_t index) const = 0;
  virtual std::vector<std::string> class_names() const = 0;
};

}  // namespace noisymix

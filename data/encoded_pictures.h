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
  /// A number that changes when the picture does, found without reading it: made of size and time of change.
  /// Serves pictures that are files called name(index); others override it.
  virtual std::uint64_t version(std::int64_t index) const;
  /// Where stretches of pictures begin that are read best one after the other, from 0 on; empty when any
  /// order is as good.
  virtual std::vector<std::int64_t> stretches() const { return {}; }
};

/// Size and time of change of a file as one number; 0 for a file that is not there.
std::uint64_t file_version(const std::string& path);

/// A number for a whole listing: names, labels and versions. Tells listings apart; no protection against
/// forgery.
std::uint64_t listing_hash(const EncodedPictures& pictures);

}  // namespace noisymix

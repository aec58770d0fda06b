#include "data/encoded_pictures.h"

#include <filesystem>

namespace noisymix {
namespace {

/// FNV-1a, as engine/key.h uses it for names.
class Hash {
 public:
  void add(std::string_view text) {
    for (const char c : text) add_byte(static_cast<unsigned char>(c));
    add_byte(0);
  }
  void add(std::uint64_t number) {
    for (int i = 0; i < 8; ++i) add_byte(static_cast<unsigned char>(number >> (8 * i)));
  }
  std::uint64_t value() const { return value_; }

 private:
  void add_byte(unsigned char byte) { value_ = (value_ ^ byte) * 0x100000001B3ull; }
  std::uint64_t value_ = 0xCBF29CE484222325ull;
};

}  // namespace

std::uint64_t file_version(const std::string& path) {
  std::error_code error;
  Hash hash;
  hash.add(static_cast<std::uint64_t>(std::filesystem::file_size(path, error)));
  if (error) return 0;
  const auto time = std::filesystem::last_write_time(path, error);
  if (error) return 0;
  hash.add(static_cast<std::uint64_t>(time.time_since_epoch().count()));
  return hash.value();
}

std::uint64_t EncodedPictures::version(std::int64_t index) const {
  return file_version(name(index));
}

std::uint64_t listing_hash(const EncodedPictures& pictures) {
  Hash hash;
  for (const std::string& name : pictures.class_names()) hash.add(name);
  const std::int64_t count = pictures.size();
  hash.add(static_cast<std::uint64_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    hash.add(pictures.name(i));
    hash.add(static_cast<std::uint64_t>(pictures.label(i)));
    hash.add(pictures.version(i));
  }
  return hash.value();
}

}  // namespace noisymix

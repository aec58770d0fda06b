// Labelled picture files of many folders, by index: a million names in one block of memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "data/encoded_pictures.h"
#include "engine/key.h"

namespace noisymix {

/// Files are added folder by folder, put into a fixed order, and then read one by one.
class PictureList final : public EncodedPictures {
 public:
  explicit PictureList(std::vector<std::string> class_names) : class_names_(std::move(class_names)) {}

  /// Number of the folder for add().
  std::uint32_t add_folder(const std::filesystem::path& folder);
  /// Throws ShapeError for a folder or class that is not there.
  void add(std::uint32_t folder, const std::string& file, std::int64_t label);
  /// All pictures of a folder. Throws DataError when it has none.
  void add_all(const std::filesystem::path& folder, std::int64_t label);
  /// The same order in every run, so that the first examples cover all classes.
  void shuffle(Key key);

  std::int64_t size() const override { return static_cast<std::int64_t>(entries_.size()); }
  Bytes read(std::int64_t index) const override;
  std::string name(std::int64_t index) const override;
  std::int64_t label(std::int64_t index) const override { return entry(index).label; }
  std::vector<std::string> class_names() const override { return class_names_; }

 private:
  struct Entry {
    std::size_t name;  ///< where it begins in names_; it ends with a zero
    std::uint32_t folder;
    std::int32_t label;
  };
  const Entry& entry(std::int64_t index) const;

  std::vector<std::string> class_names_, folders_;
  std::string names_;
  std::vector<Entry> entries_;
};

}  // namespace noisymix

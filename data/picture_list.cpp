#include "data/picture_list.h"

#include "data/picture_paths.h"
#include "engine/error.h"

namespace noisymix {

namespace {
// Larger files are no photographs; this keeps a worker from taking gigabytes for one picture.
constexpr std::uint64_t kLargestPictureFile = std::uint64_t{1} << 28;
}  // namespace

std::uint32_t PictureList::add_folder(const std::filesystem::path& folder) {
  folders_.push_back(folder.string());
  return static_cast<std::uint32_t>(folders_.size() - 1);
}

void PictureList::add(std::uint32_t folder, const std::string& file, std::int64_t label) {
  NM_CHECK(folder < folders_.size(), "[pictures] folder ", folder, " of ", folders_.size(),
           " does not exist");
  NM_CHECK(label >= 0 && label < static_cast<std::int64_t>(class_names_.size()), "[pictures] class ", label,
           " of ", class_names_.size(), " does not exist");
  entries_.push_back({names_.size(), folder, static_cast<std::int32_t>(label)});
  names_.append(file).push_back('\0');
}

void PictureList::add_all(const std::filesystem::path& folder, std::int64_t label) {
  const std::vector<std::string> files = picture_names(folder);
  NM_CHECK_AS(DataError, !files.empty(), folder.string(),
              ": this class has no pictures, expected PNG or JPEG files");
  const std::uint32_t number = add_folder(folder);
  for (const std::string& file : files) add(number, file, label);
}

void PictureList::shuffle(Key key) {
  std::vector<Entry> shuffled;
  shuffled.reserve(entries_.size());
  for (const std::int64_t i : permutation(key, size()))
    shuffled.push_back(entries_[static_cast<std::size_t>(i)]);
  entries_ = std::move(shuffled);
}

const PictureList::Entry& PictureList::entry(std::int64_t index) const {
  NM_CHECK(index >= 0 && index < size(), "[pictures] picture ", index, " of ", size(), " does not exist");
  return entries_[static_cast<std::size_t>(index)];
}

std::string PictureList::name(std::int64_t index) const {
  const Entry& found = entry(index);
  return (std::filesystem::path(folders_[found.folder]) / (names_.c_str() + found.name)).string();
}

Bytes PictureList::read(std::int64_t index) const {
  return read_file_bytes(name(index), kLargestPictureFile);
}

}  // namespace noisymix

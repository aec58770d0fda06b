// Labelled pictures inside tar archives, read at their place.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/encoded_pictures.h"

namespace noisymix {

/// The archives of a split: root/train/*.tar and root/test/*.tar (or val/), or root/train*.tar and
/// root/test*.tar (or val*.tar), in alphabetical order. Throws DataError when one of the two is missing.
std::vector<std::filesystem::path> shards_of_split(const std::filesystem::path& root, bool train);

/// The archives of a folder in alphabetical order, or the one archive that `path` is.
std::vector<std::filesystem::path> shards_in(const std::filesystem::path& path);

/// Pictures of the shards in their order, so that ascending indices read each archive from front to back.
/// Labels are folders (CLASS/FILE.jpg, under any number of other folders) or, where any archive holds files
/// KEY.cls, the class numbers in these (WebDataset: KEY ends at the first point of the file's name). Other
/// files and hidden ones are passed over. `class_names` gives the classes in the order of their labels;
/// empty: folders in alphabetical order, or the numbers as names. limit > 0: that many pictures only. Throws
/// DataError naming archive and entry.
std::shared_ptr<const EncodedPictures> open_tar_shards(const std::vector<std::filesystem::path>& shards,
                                                       std::vector<std::string> class_names = {},
                                                       std::int64_t limit = 0);

/// A split of root with the classes that root/classes.txt lists, one a line; without it, with those of the
/// training split.
std::shared_ptr<const EncodedPictures> open_split_shards(const std::filesystem::path& root, bool train,
                                                         std::int64_t limit = 0);

}  // namespace noisymix

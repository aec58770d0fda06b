// PNG and JPEG pictures sorted into one folder per class.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace noisymix {

/// Files of one split, and the classes (sub-folder names in alphabetical order). Nothing is decoded yet.
struct FolderListing {
  std::vector<std::string> class_names;
  std::vector<std::filesystem::path> files;
  std::vector<std::int64_t> labels;
};

/// Lists root/train/CLASS/* and root/test/CLASS/* (or val/). Without these two levels, root/CLASS/* is split:
/// of each class's files in alphabetical order, every fifth is for testing. Files of other types and hidden
/// ones are passed over. Examples come in a fixed shuffled order, so that the first ones cover all classes.
FolderListing list_image_folder(const std::filesystem::path& root, bool train);

/// Lists all of root/CLASS/*, without a split, in the order that a test folder with the same files would
/// have.
FolderListing list_class_folders(const std::filesystem::path& root);

/// Decodes all pictures of a listing as RGB into memory; the rest as open_image_folder().
std::shared_ptr<const Dataset> open_listing(FolderListing listing, int image_size, std::string description);

/// Decodes all pictures of a split as RGB into memory. image_size > 0: shorter side to that size, then the
/// middle square; 0: all pictures must agree in size. limit > 0: that many pictures only. Throws DataError
/// naming the picture.
std::shared_ptr<const Dataset> open_image_folder(const std::filesystem::path& root, bool train,
                                                 int image_size, std::int64_t limit = 0);

}  // namespace noisymix

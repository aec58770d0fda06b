// More pictures for training than a set has itself: a changed partner for each picture, of which one is drawn
// (stylized training), or pictures beside it (DeepAugment). Where they come from is another program's
// business.
#pragma once

#include <filesystem>
#include <memory>

#include "data/dataset.h"
#include "data/image_folder.h"

namespace noisymix {

/// draw() gives partner i instead of example i with probability `share`, from block 0 of key.child("pair");
/// get() gives the original. Throws DataError unless both sets agree in size and shape and in every label,
/// ConfigError unless share is in [0, 1].
std::shared_ptr<const Dataset> make_paired(std::shared_ptr<const Dataset> originals,
                                           std::shared_ptr<const Dataset> partners, double share);

/// For partners by position: throws DataError naming the first example whose labels differ. Reads all of
/// both.
void check_same_labels(const Dataset& first, const Dataset& second);

/// The partners of a listing below `root`: the same path below `partners`, where both may have a train folder
/// or not, and a picture may be of another type (a.png for a.jpg). Throws one DataError with the first
/// missing name and the number of missing ones.
FolderListing list_partners(const FolderListing& originals, const std::filesystem::path& root,
                            const std::filesystem::path& partners);

/// The examples of both, the second after the first. Throws DataError unless they agree in shape and classes.
std::shared_ptr<const Dataset> make_joined(std::shared_ptr<const Dataset> first,
                                           std::shared_ptr<const Dataset> second);

/// All of folder/CLASS/* (or folder/train/CLASS/*) with the numbers that the classes have in `class_names`.
/// Throws DataError for a class that is not among them.
FolderListing list_extra(const std::filesystem::path& folder, const std::vector<std::string>& class_names);

}  // namespace noisymix

// ImageNet and its relatives as their files are laid out after unpacking: Tiny-ImageNet, ImageNette,
// ImageNet-R, Restricted ImageNet.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/encoded_pictures.h"

namespace noisymix {

// All throw DataError naming the place and what was expected there: a split or class folder that is missing,
// a class without pictures, a class of one split that the other lacks. Examples come in a fixed shuffled
// order.

/// root/train/CLASS/* and root/val/CLASS/*. Classes are the folders of train/ in alphabetical order, those of
/// val/ where only that one is there.
std::shared_ptr<const EncodedPictures> open_imagenet(const std::filesystem::path& root, bool train);

/// The same with the ten classes of ImageNette by their English names.
std::shared_ptr<const EncodedPictures> open_imagenette(const std::filesystem::path& root, bool train);

/// The nine super-classes of Restricted ImageNet, which are ranges of ImageNet's 1000 classes: the folders
/// must be all of them, or root holds a list of the 1000 (read_class_list) and folders for those that count.
std::shared_ptr<const EncodedPictures> open_restricted_imagenet(const std::filesystem::path& root,
                                                                bool train);

/// root/train/CLASS/images/*; root/val/images/* with root/val/val_annotations.txt, or root/val/CLASS/* with
/// or without images/. Classes are those of root/wnids.txt, else the folders of train/, in alphabetical
/// order.
std::shared_ptr<const EncodedPictures> open_tiny_imagenet(const std::filesystem::path& root, bool train);

/// root/CLASS/*, a test set only. With a list of ImageNet's classes in root the labels count those, otherwise
/// the folders.
std::shared_ptr<const EncodedPictures> open_imagenet_r(const std::filesystem::path& root, bool train);

/// The class folders named in root/LOC_synset_mapping.txt, synset_words.txt or wnids.txt, the first word of
/// each line, in alphabetical order; empty without such a file.
std::vector<std::string> read_class_list(const std::filesystem::path& root);

/// The English name of a folder of ImageNette; other names as they are.
std::string imagenette_name(const std::string& folder);

}  // namespace noisymix

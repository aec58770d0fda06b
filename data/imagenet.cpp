#include "data/imagenet.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "data/picture_list.h"
#include "data/picture_paths.h"
#include "engine/error.h"

namespace noisymix {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

constexpr std::size_t kImagenetClasses = 1000;

constexpr std::pair<const char*, const char*> kImagenette[] = {
    {"n01440764", "tench"},         {"n02102040", "English springer"}, {"n02979186", "cassette player"},
    {"n03000684", "chain saw"},     {"n03028079", "church"},           {"n03394916", "French horn"},
    {"n03417042", "garbage truck"}, {"n03425413", "gas pump"},         {"n03445777", "golf ball"},
    {"n03888257", "parachute"}};

/// Restricted ImageNet: first and last of ImageNet's classes that make one.
struct SuperClass {
  const char* name;
  std::size_t first, last;
};
constexpr SuperClass kRestricted[] = {{"dog", 151, 268},  {"cat", 281, 285},  {"frog", 30, 32},
                                      {"turtle", 33, 37}, {"bird", 80, 100},  {"monkey", 365, 382},
                                      {"fish", 389, 397}, {"crab", 118, 121}, {"insect", 300, 319}};

void check_root(const fs::path& root, const char* expected) {
  NM_CHECK_AS(DataError, !root.empty(), "the data set needs a path: the folder that holds ", expected);
  NM_CHECK_AS(DataError, fs::is_directory(root), root.string(), ": no such folder, expected one with ",
              expected);
}

fs::path split_folder(const fs::path& root, bool train) {
  const fs::path folder = root / (train ? "train" : "val");
  NM_CHECK_AS(DataError, fs::is_directory(folder), folder.string(), ": no such folder, expected the ",
              train ? "training" : "test", " split as ", train ? "train" : "val", "/CLASS/NAME.JPEG");
  return folder;
}

Names class_folders(const fs::path& folder) {
  const Names names = folder_names(folder);
  NM_CHECK_AS(DataError, !names.empty(), folder.string(),
              ": holds no class folders, sort its pictures into one folder per class (n01440764, ...)");
  return names;
}

/// Classes of a split whose other split may be absent. Both must agree where both are there.
Names classes_of(const fs::path& root, const fs::path& split) {
  const fs::path train = root / "train";
  const Names own = class_folders(split);
  if (split == train || !fs::is_directory(train)) return own;
  const Names all = class_folders(train);
  for (const std::string& name : own)
    NM_CHECK_AS(DataError, std::binary_search(all.begin(), all.end(), name), (split / name).string(),
                ": this class is missing in ", train.string());
  return all;
}

void check_class_folder(const fs::path& folder) {
  NM_CHECK_AS(DataError, fs::is_directory(folder), folder.string(),
              ": no such folder, expected the pictures of this class");
}

std::shared_ptr<const EncodedPictures> shuffled(std::shared_ptr<PictureList> pictures) {
  pictures->shuffle(Key(0).child("folder order"));
  return pictures;
}

std::size_t place_of(const Names& sorted, const std::string& name) {
  return static_cast<std::size_t>(std::lower_bound(sorted.begin(), sorted.end(), name) - sorted.begin());
}

/// val/images/ of Tiny-ImageNet: a line of val_annotations.txt is file, class and four numbers, with tabs.
void add_annotated(const fs::path& val, const Names& classes, PictureList& pictures) {
  const fs::path list = val / "val_annotations.txt";
  NM_CHECK_AS(DataError, fs::is_regular_file(list), list.string(),
              ": no such file, expected the classes of the pictures in ", (val / "images").string());
  const std::uint32_t folder = pictures.add_folder(val / "images");
  const Names there = picture_names(val / "images");
  std::size_t number = 0;
  for (const std::string& line : read_file_lines(list)) {
    ++number;
    const std::size_t end = line.find('\t');
    const std::string file = line.substr(0, end);
    const std::string name =
        end == std::string::npos ? "" : line.substr(end + 1, line.find_first_of("\t\r", end + 1) - end - 1);
    NM_CHECK_AS(DataError, std::binary_search(classes.begin(), classes.end(), name), list.string(), ": line ",
                number, " gives '", printable(name), "' as the class of ", printable(file),
                ", expected one of the ", classes.size(), " classes after a tab");
    NM_CHECK_AS(DataError, std::binary_search(there.begin(), there.end(), file), list.string(), ": line ",
                number, " names ", printable(file), ", which is not in ", (val / "images").string());
    pictures.add(folder, file, static_cast<std::int64_t>(place_of(classes, name)));
  }
  NM_CHECK_AS(DataError, pictures.size() > 0, list.string(), ": is empty, expected a line for each picture");
}

}  // namespace

Names read_class_list(const fs::path& root) {
  for (const char* file : {"LOC_synset_mapping.txt", "synset_words.txt", "wnids.txt"}) {
    if (!fs::is_regular_file(root / file)) continue;
    Names names;
    for (const std::string& line : read_file_lines(root / file)) {
      std::string name = line.substr(0, line.find_first_of(" \t\r"));
      NM_CHECK_AS(DataError, !name.empty() && name.find('/') == std::string::npos && name[0] != '.',
                  (root / file).string(), ": line '", printable(line),
                  "' does not begin with the name of a class");
      names.push_back(std::move(name));
    }
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    NM_CHECK_AS(DataError, twice == names.end(), (root / file).string(), ": names the class ",
                printable(*twice), " twice");
    NM_CHECK_AS(DataError, !names.empty(), (root / file).string(), ": is empty, expected a class a line");
    return names;
  }
  return {};
}

std::string imagenette_name(const std::string& folder) {
  for (const auto& [wnid, name] : kImagenette)
    if (folder == wnid) return name;
  return folder;
}

std::shared_ptr<const EncodedPictures> open_imagenet(const fs::path& root, bool train) {
  check_root(root, "train/CLASS/ and val/CLASS/");
  const fs::path split = split_folder(root, train);
  const Names classes = classes_of(root, split);
  auto pictures = std::make_shared<PictureList>(classes);
  for (std::size_t k = 0; k < classes.size(); ++k) {
    check_class_folder(split / classes[k]);
    pictures->add_all(split / classes[k], static_cast<std::int64_t>(k));
  }
  return shuffled(pictures);
}

std::shared_ptr<const EncodedPictures> open_imagenette(const fs::path& root, bool train) {
  check_root(root, "train/ and val/ with ten folders each");
  const fs::path split = split_folder(root, train);
  Names names;
  for (const auto& [wnid, name] : kImagenette) names.emplace_back(name);
  auto pictures = std::make_shared<PictureList>(names);
  std::int64_t label = 0;
  for (const auto& [wnid, name] : kImagenette) {
    check_class_folder(split / wnid);
    pictures->add_all(split / wnid, label++);
  }
  for (const std::string& folder : folder_names(split))
    NM_CHECK_AS(DataError, imagenette_name(folder) != folder, (split / folder).string(),
                ": is not a class of ImageNette, expected ", kImagenette[0].first, " to ",
                std::rbegin(kImagenette)->first);
  return shuffled(pictures);
}

std::shared_ptr<const EncodedPictures> open_restricted_imagenet(const fs::path& root, bool train) {
  check_root(root, "train/CLASS/ and val/CLASS/ of ImageNet");
  const fs::path split = split_folder(root, train);
  const Names listed = read_class_list(root), classes = listed.empty() ? classes_of(root, split) : listed;
  NM_CHECK_AS(DataError, classes.size() == kImagenetClasses, root.string(), ": ",
              listed.empty() ? "has folders of " : "lists ", classes.size(), " classes, expected ImageNet's ",
              kImagenetClasses,
              ", whose positions define the super-classes; or add its LOC_synset_mapping.txt");
  Names names;
  for (const SuperClass& super : kRestricted) names.emplace_back(super.name);
  auto pictures = std::make_shared<PictureList>(names);
  for (std::size_t label = 0; label < names.size(); ++label) {
    for (std::size_t k = kRestricted[label].first; k <= kRestricted[label].last; ++k) {
      check_class_folder(split / classes[k]);
      pictures->add_all(split / classes[k], static_cast<std::int64_t>(label));
    }
  }
  return shuffled(pictures);
}

std::shared_ptr<const EncodedPictures> open_tiny_imagenet(const fs::path& root, bool train) {
  check_root(root, "train/CLASS/images/ and val/");
  const fs::path split = split_folder(root, train);
  const Names listed = read_class_list(root);
  const bool annotated = !train && fs::is_directory(split / "images");
  NM_CHECK_AS(DataError, !listed.empty() || !annotated || fs::is_directory(root / "train"), root.string(),
              ": has neither wnids.txt nor train/, expected one of them to know the classes");
  const Names classes = !listed.empty() ? listed
                        : annotated     ? class_folders(root / "train")
                                        : classes_of(root, split);
  auto pictures = std::make_shared<PictureList>(classes);
  if (annotated) {
    add_annotated(split, classes, *pictures);
    return shuffled(pictures);
  }
  for (std::size_t k = 0; k < classes.size(); ++k) {
    const fs::path folder = split / classes[k];
    check_class_folder(folder);
    pictures->add_all(fs::is_directory(folder / "images") ? folder / "images" : folder,
                      static_cast<std::int64_t>(k));
  }
  return shuffled(pictures);
}

std::shared_ptr<const EncodedPictures> open_imagenet_r(const fs::path& root, bool train) {
  check_root(root, "CLASS/NAME.jpg");
  NM_CHECK_AS(DataError, !train, root.string(), ": imagenet-r is a test set without a training split");
  const Names folders = class_folders(root), listed = read_class_list(root);
  const Names& classes = listed.empty() ? folders : listed;
  auto pictures = std::make_shared<PictureList>(classes);
  for (const std::string& folder : folders) {
    NM_CHECK_AS(DataError, std::binary_search(classes.begin(), classes.end(), folder),
                (root / folder).string(), ": this class is not in the list of classes beside it");
    pictures->add_all(root / folder, static_cast<std::int64_t>(place_of(classes, folder)));
  }
  return shuffled(pictures);
}

}  // namespace noisymix

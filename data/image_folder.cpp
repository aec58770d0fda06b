#include "data/image_folder.h"

#include <algorithm>
#include <optional>

#include "data/image_codec.h"
#include "data/image_resize.h"
#include "data/memory_dataset.h"
#include "data/picture_paths.h"
#include "engine/cpu/parallel.h"
#include "engine/error.h"
#include "engine/key.h"

namespace noisymix {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kTestEvery = 5;  // of an unsplit folder, this fifth is for testing

/// The first of the names that is a folder in root.
std::optional<fs::path> sub_folder(const fs::path& root, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (fs::is_directory(root / name)) return root / name;
  return std::nullopt;
}

/// Adds the files of every class; `keep` chooses by position within the class.
template <typename Keep>
void add_files(const fs::path& folder, FolderListing& listing, Keep keep) {
  for (std::size_t k = 0; k < listing.class_names.size(); ++k) {
    const fs::path class_folder = folder / listing.class_names[k];
    if (!fs::is_directory(class_folder)) continue;  // a class without pictures in this split
    const auto files = picture_names(class_folder);
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (!keep(i)) continue;
      listing.files.push_back(class_folder / files[i]);
      listing.labels.push_back(static_cast<std::int64_t>(k));
    }
  }
}

void shuffle(FolderListing& listing) {
  FolderListing shuffled{.class_names = listing.class_names, .files = {}, .labels = {}};
  const auto order =
      permutation(Key(0).child("folder order"), static_cast<std::int64_t>(listing.files.size()));
  for (const std::int64_t i : order) {
    shuffled.files.push_back(std::move(listing.files[static_cast<std::size_t>(i)]));
    shuffled.labels.push_back(listing.labels[static_cast<std::size_t>(i)]);
  }
  listing = std::move(shuffled);
}

void limit_listing(FolderListing& listing, std::int64_t limit) {
  const std::size_t size = std::min(listing.files.size(), static_cast<std::size_t>(limit));
  listing.files.resize(size);
  listing.labels.resize(size);
}

Image load(const fs::path& file, int image_size) {
  Image image = to_rgb(read_image(file));
  return image_size > 0 ? resize_and_crop(image, image_size) : image;
}

}  // namespace

FolderListing list_image_folder(const fs::path& root, bool train) {
  NM_CHECK_AS(DataError, !root.empty(),
              "folder needs a path: the one that holds train/CLASS/ and test/CLASS/, or CLASS/");
  NM_CHECK_AS(DataError, fs::is_directory(root), root.string(), ": no such folder");
  const auto train_folder = sub_folder(root, {"train"}), test_folder = sub_folder(root, {"test", "val"});
  FolderListing listing;
  if (train_folder && test_folder) {
    listing.class_names = folder_names(*train_folder);
    for (const std::string& name : folder_names(*test_folder))
      NM_CHECK_AS(DataError, std::binary_search(listing.class_names.begin(), listing.class_names.end(), name),
                  (*test_folder / name).string(), ": this class is missing in ", train_folder->string());
    add_files(train ? *train_folder : *test_folder, listing, [](std::size_t) { return true; });
  } else {
    NM_CHECK_AS(DataError, !train_folder && !test_folder, root.string(), ": has ",
                train_folder ? "train/" : "test/", " but not ", train_folder ? "test/ (or val/)" : "train/",
                ", expected both or neither");
    listing.class_names = folder_names(root);
    add_files(root, listing, [train](std::size_t i) { return (i % kTestEvery == kTestEvery - 1) != train; });
  }
  NM_CHECK_AS(DataError, !listing.files.empty(), root.string(),
              ": no PNG or JPEG files in class folders for ", train ? "training" : "testing",
              ", expected CLASS/NAME.png");
  shuffle(listing);
  return listing;
}

FolderListing list_class_folders(const fs::path& root) {
  NM_CHECK_AS(DataError, fs::is_directory(root), root.string(), ": no such folder");
  FolderListing listing;
  listing.class_names = folder_names(root);
  add_files(root, listing, [](std::size_t) { return true; });
  NM_CHECK_AS(DataError, !listing.files.empty(), root.string(),
              ": no PNG or JPEG files in class folders, expected CLASS/NAME.png");
  shuffle(listing);
  return listing;
}

std::shared_ptr<const Dataset> open_listing(FolderListing listing, int image_size, std::string description) {
  NM_CHECK_AS(ConfigError, image_size >= 0 && image_size <= kLargestImageSide, "image_size is ", image_size,
              ", expected 0 (as it is) to ", kLargestImageSide);
  NM_CHECK(!listing.files.empty(), "[folder] ", description, ": no pictures");
  const Image first = load(listing.files[0], image_size);
  MemoryImages content{.height = first.height, .width = first.width, .channels = 3};
  content.labels = std::move(listing.labels);
  content.class_names = std::move(listing.class_names);
  content.description = std::move(description);
  const std::size_t count = listing.files.size(), bytes = content.image_bytes();
  NM_CHECK_AS(DataError, count <= kLargestFile / bytes, content.description, ": ", count, " pictures of ",
              first.height, "x", first.width, " do not fit the ", kLargestFile,
              " bytes kept in memory, set a smaller image_size or a limit");
  content.pixels.resize(count * bytes);
  cpu::parallel_for(static_cast<std::int64_t>(count), 16, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      const Image image = load(listing.files[i], image_size);
      NM_CHECK_AS(DataError, image.height == first.height && image.width == first.width,
                  listing.files[i].string(), ": is ", image.height, "x", image.width, " but ",
                  listing.files[0].string(), " is ", first.height, "x", first.width,
                  ", set image_size to bring all pictures to one size");
      std::copy(image.pixels.begin(), image.pixels.end(), content.pixels.data() + i * bytes);
    }
  });
  return make_memory_dataset(std::move(content));
}

std::shared_ptr<const Dataset> open_image_folder(const fs::path& root, bool train, int image_size,
                                                 std::int64_t limit) {
  FolderListing listing = list_image_folder(root, train);
  if (limit > 0) limit_listing(listing, limit);
  return open_listing(
      std::move(listing), image_size,
      std::string("pictures, ") + (train ? "train" : "test") + " split, from " + root.string());
}

}  // namespace noisymix

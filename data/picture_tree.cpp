// Trees of pictures in class folders whose classes are a model's, or some of them.
#include <algorithm>

#include "data/corrupted_sets.h"
#include "data/image_codec.h"
#include "data/image_folder.h"
#include "data/image_transform.h"
#include "data/imagenet.h"
#include "engine/cpu/parallel.h"
#include "engine/error.h"

namespace noisymix {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kNamesShown = 5;
constexpr int kSeverityFolders = 5;

Image load(const fs::path& file, const ImageTransform& transform) {
  return transformed(to_rgb(read_image(file)), transform, file.string());
}

/// Pictures that are decoded when they are asked for.
class PictureFiles : public Dataset {
 public:
  PictureFiles(FolderListing listing, const ImageTransform& transform, std::string description)
      : listing_(std::move(listing)), transform_(transform), description_(std::move(description)) {
    const Image first = load(listing_.files[0], transform);
    shape_ = {first.height, first.width, first.channels};
  }

  std::int64_t size() const override { return static_cast<std::int64_t>(listing_.files.size()); }
  Example get(std::int64_t index) const override {
    NM_CHECK(index >= 0 && index < size(), "[dataset] example ", index, " of ", size(), " does not exist");
    const auto i = static_cast<std::size_t>(index);
    Example example;
    example.image = load(listing_.files[i], transform_);
    NM_CHECK_AS(DataError, example.image.height == shape_[0] && example.image.width == shape_[1],
                listing_.files[i].string(), ": is ", example.image.height, "x", example.image.width, " but ",
                listing_.files[0].string(), " is ", shape_[0], "x", shape_[1],
                ", set image_size to bring all pictures to one size");
    example.label = listing_.labels[i];
    return example;
  }
  std::vector<std::string> class_names() const override { return listing_.class_names; }
  std::vector<std::int64_t> sample_shape() const override { return shape_; }
  std::string description() const override { return description_; }

 private:
  FolderListing listing_;
  ImageTransform transform_;
  std::string description_;
  std::vector<std::int64_t> shape_;
};

/// "a, b, c, d, e and 12 more"
std::string some_of(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kNamesShown); ++i)
    text += (i == 0 ? "" : ", ") + printable(names[i]);
  if (names.size() > kNamesShown) text += " and " + std::to_string(names.size() - kNamesShown) + " more";
  return text;
}

/// Removes the pictures that cannot be decoded; returns their number.
std::int64_t drop_unreadable(FolderListing& listing) {
  std::vector<std::uint8_t> readable(listing.files.size(), 1);
  cpu::parallel_for(static_cast<std::int64_t>(readable.size()), 16,
                    [&](std::int64_t begin, std::int64_t end) {
                      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
                        try {
                          read_image(listing.files[i]);
                        } catch (const DataError&) {
                          readable[i] = 0;
                        }
                      }
                    });
  FolderListing kept{.class_names = listing.class_names, .files = {}, .labels = {}};
  for (std::size_t i = 0; i < readable.size(); ++i) {
    if (readable[i] == 0) continue;
    kept.files.push_back(std::move(listing.files[i]));
    kept.labels.push_back(listing.labels[i]);
  }
  const auto dropped = std::ssize(readable) - std::ssize(kept.files);
  listing = std::move(kept);
  return dropped;
}

/// For each class of the tree its number in the model.
std::vector<std::int64_t> numbers_of(const fs::path& root, const std::vector<std::string>& classes,
                                     const std::vector<std::string>& model_classes, bool every_class) {
  std::vector<std::int64_t> numbers;
  std::vector<std::string> unknown, missing;
  for (const std::string& name : classes) {
    auto found = std::find(model_classes.begin(), model_classes.end(), name);
    if (found == model_classes.end())
      found = std::find(model_classes.begin(), model_classes.end(), imagenette_name(name));
    if (found == model_classes.end()) unknown.push_back(name);
    numbers.push_back(found - model_classes.begin());
  }
  NM_CHECK_AS(DataError, unknown.empty(), root.string(),
              ": has classes that the model does not know: ", some_of(unknown));
  if (every_class)
    for (std::size_t k = 0; k < model_classes.size(); ++k)
      if (std::find(numbers.begin(), numbers.end(), static_cast<std::int64_t>(k)) == numbers.end())
        missing.push_back(model_classes[k]);
  NM_CHECK_AS(DataError, missing.empty(), root.string(), ": lacks classes of the model: ", some_of(missing));
  return numbers;
}

}  // namespace

PictureTree open_picture_tree(const fs::path& root, const std::vector<std::string>& model_classes,
                              const PictureTreeOptions& options) {
  NM_CHECK_AS(ConfigError, options.image_size >= 0 && options.image_size <= kLargestImageSide,
              "image_size is ", options.image_size, ", expected 0 (as it is) to ", kLargestImageSide);
  FolderListing listing = list_class_folders(root);
  PictureTree tree;
  tree.classes = numbers_of(root, listing.class_names, model_classes, options.every_class);
  if (options.limit > 0 && options.limit < std::ssize(listing.files)) {
    listing.files.resize(static_cast<std::size_t>(options.limit));
    listing.labels.resize(static_cast<std::size_t>(options.limit));
  }
  if (options.unreadable == Unreadable::skip) {
    tree.skipped = drop_unreadable(listing);
    NM_CHECK_AS(DataError, !listing.files.empty(), root.string(), ": none of its ", tree.skipped,
                " pictures can be read");
  }
  const ImageTransform square{options.image_size, options.image_size};
  tree.data = std::make_shared<PictureFiles>(std::move(listing),
                                             options.transform.active() ? options.transform : square,
                                             "pictures from " + root.string());
  return tree;
}

void check_corrupted_trees(const fs::path& root, const std::vector<std::string>& types) {
  NM_CHECK_AS(DataError, fs::is_directory(root), root.string(),
              ": no such folder, expected TYPE/SEVERITY/CLASS");
  std::string missing;
  for (const std::string& type : types)
    for (int severity = 1; severity <= kSeverityFolders; ++severity) {
      const fs::path folder = fs::path(type) / std::to_string(severity);
      if (!fs::is_directory(root / folder)) missing += (missing.empty() ? "" : ", ") + folder.string();
    }
  NM_CHECK_AS(DataError, missing.empty(), root.string(), ": lacks ", missing);
}

}  // namespace noisymix

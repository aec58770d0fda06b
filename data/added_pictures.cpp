#include "data/added_pictures.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "data/file_bytes.h"
#include "engine/error.h"

namespace noisymix {
namespace {

namespace fs = std::filesystem;

std::string in_words(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t size : shape) text += (text.empty() ? "" : "x") + std::to_string(size);
  return text;
}

void check_shapes(const Dataset& first, const Dataset& second) {
  NM_CHECK_AS(DataError, first.sample_shape().size() == 3, first.description(),
              ": holds points, only images can have other pictures added");
  NM_CHECK_AS(DataError, first.sample_shape() == second.sample_shape(), second.description(),
              ": has images of ", in_words(second.sample_shape()), ", but ", first.description(), " has ",
              in_words(first.sample_shape()), "; set image_size to bring folders to one size");
}

class Paired final : public Dataset {
 public:
  Paired(std::shared_ptr<const Dataset> originals, std::shared_ptr<const Dataset> partners, double share)
      : originals_(std::move(originals)), partners_(std::move(partners)), share_(share) {}

  std::int64_t size() const override { return originals_->size(); }
  Example get(std::int64_t index) const override { return originals_->get(index); }
  Example draw(std::int64_t index, Key key) const override {
    const bool partner = key.child("pair").uniform(0) < share_;
    return (partner ? partners_ : originals_)->draw(index, key);
  }
  bool varies() const override { return share_ > 0; }
  std::vector<std::string> class_names() const override { return originals_->class_names(); }
  std::vector<std::int64_t> sample_shape() const override { return originals_->sample_shape(); }
  std::string description() const override {
    return originals_->description() + ", paired with " + partners_->description();
  }

 private:
  std::shared_ptr<const Dataset> originals_, partners_;
  double share_;
};

class Joined final : public Dataset {
 public:
  Joined(std::shared_ptr<const Dataset> first, std::shared_ptr<const Dataset> second)
      : first_(std::move(first)), second_(std::move(second)), split_(first_->size()) {}

  std::int64_t size() const override { return split_ + second_->size(); }
  Example get(std::int64_t index) const override {
    return index < split_ ? first_->get(index) : second_->get(index - split_);
  }
  Example draw(std::int64_t index, Key key) const override {
    return index < split_ ? first_->draw(index, key) : second_->draw(index - split_, key);
  }
  bool varies() const override { return first_->varies() || second_->varies(); }
  std::vector<std::string> class_names() const override { return first_->class_names(); }
  std::vector<std::int64_t> sample_shape() const override { return first_->sample_shape(); }
  std::string description() const override {
    return first_->description() + ", and " + second_->description();
  }

 private:
  std::shared_ptr<const Dataset> first_, second_;
  std::int64_t split_;
};

/// The folder of the classes: root/train where there is one.
fs::path class_root(const fs::path& root) {
  return fs::is_directory(root / "train") ? root / "train" : root;
}

/// The partner of a picture, by its name or with another of the known endings.
std::optional<fs::path> partner_of(const fs::path& wanted) {
  std::error_code ignored;
  if (fs::is_regular_file(wanted, ignored)) return wanted;
  for (const char* extension : {".png", ".jpg", ".jpeg", ".PNG", ".JPG", ".JPEG"}) {
    fs::path other = wanted;
    other.replace_extension(extension);
    if (fs::is_regular_file(other, ignored)) return other;
  }
  return std::nullopt;
}

}  // namespace

std::shared_ptr<const Dataset> make_paired(std::shared_ptr<const Dataset> originals,
                                           std::shared_ptr<const Dataset> partners, double share) {
  NM_CHECK(originals != nullptr && partners != nullptr, "[paired] expects two data sets");
  NM_CHECK_AS(ConfigError, share >= 0 && share <= 1, "paired_share is ", share, ", expected 0 to 1");
  check_shapes(*originals, *partners);
  NM_CHECK_AS(DataError, originals->size() == partners->size(), partners->description(), ": has ",
              partners->size(), " pictures, but ", originals->description(), " has ", originals->size());
  return std::make_shared<Paired>(std::move(originals), std::move(partners), share);
}

void check_same_labels(const Dataset& first, const Dataset& second) {
  for (std::int64_t i = 0; i < std::min(first.size(), second.size()); ++i) {
    const std::int64_t own = first.get(i).label, other = second.get(i).label;
    NM_CHECK_AS(DataError, own == other, second.description(), ": picture ", i, " has label ", other,
                ", but ", first.description(), " has ", own);
  }
}

FolderListing list_partners(const FolderListing& originals, const fs::path& root, const fs::path& partners) {
  NM_CHECK_AS(DataError, fs::is_directory(partners), printable(partners.string()), ": no such folder");
  const fs::path from = class_root(root), to = class_root(partners);
  FolderListing listing{.class_names = originals.class_names, .files = {}, .labels = originals.labels};
  std::string first_missing;
  std::size_t missing = 0;
  for (const fs::path& file : originals.files) {
    const fs::path name = file.lexically_relative(from);
    if (auto partner = partner_of(to / name)) {
      listing.files.push_back(std::move(*partner));
    } else if (missing++ == 0) {
      first_missing = printable(name.string());
    }
  }
  NM_CHECK_AS(DataError, missing == 0, printable(to.string()), ": lacks ", missing, " of ",
              originals.files.size(), " partner pictures, the first is ", first_missing);
  return listing;
}

std::shared_ptr<const Dataset> make_joined(std::shared_ptr<const Dataset> first,
                                           std::shared_ptr<const Dataset> second) {
  NM_CHECK(first != nullptr && second != nullptr, "[joined] expects two data sets");
  check_shapes(*first, *second);
  NM_CHECK_AS(DataError, first->class_names() == second->class_names(), second->description(),
              ": has other classes than ", first->description());
  return std::make_shared<Joined>(std::move(first), std::move(second));
}

FolderListing list_extra(const fs::path& folder, const std::vector<std::string>& class_names) {
  NM_CHECK_AS(DataError, fs::is_directory(folder), printable(folder.string()), ": no such folder");
  FolderListing listing = list_class_folders(class_root(folder));
  std::vector<std::int64_t> numbers;
  for (const std::string& name : listing.class_names) {
    const auto found = std::find(class_names.begin(), class_names.end(), name);
    NM_CHECK_AS(DataError, found != class_names.end(), printable(folder.string()), ": has the class ",
                printable(name), ", which the training set does not have");
    numbers.push_back(found - class_names.begin());
  }
  for (std::int64_t& label : listing.labels) label = numbers[static_cast<std::size_t>(label)];
  listing.class_names = class_names;
  return listing;
}

}  // namespace noisymix

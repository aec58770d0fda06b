// Published corrupted test sets: folders of arrays as CIFAR-10-C, and trees of pictures as ImageNet-C and
// ImageNet-R.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/npy_rows.h"

namespace noisymix {

/// A folder of TYPE.npy, uint8 [5 n, h, w, 3] with severity s in rows (s - 1) n to s n - 1, and labels.npy
/// with n or 5 n entries. Only headers and labels are in memory; pictures are read one by one.
class CorruptedArrays {
 public:
  /// Throws DataError: types without a file, all in one message; element type, shape or number of rows;
  /// labels of another number, out of range, or not the same for each severity. `clean` (may be null) is the
  /// test set that was corrupted: number, size of pictures and every label must agree with it. The size may
  /// differ when `clean` resizes its pictures.
  CorruptedArrays(const std::filesystem::path& root, const std::vector<std::string>& types,
                  std::vector<std::string> class_names, const Dataset* clean = nullptr);

  /// Pictures per type and severity.
  std::int64_t size() const { return size_; }
  /// Severity 1 to 5. Throws ShapeError for a type that was not asked for.
  std::shared_ptr<const Dataset> open(const std::string& type, int severity) const;

 private:
  void check_rows(const std::string& type, const NpyRows& rows, const Dataset* clean);
  void read_labels(const Dataset* clean);

  std::filesystem::path root_;
  std::map<std::string, std::shared_ptr<const NpyRows>> types_;
  std::shared_ptr<const std::vector<std::string>> class_names_;
  std::shared_ptr<const std::vector<std::int64_t>> labels_;  ///< of one severity
  std::int64_t size_ = 0, rows_ = 0;
  Shape picture_;
  std::string first_;  ///< the file that the others are compared with
};

/// What to do with a picture that cannot be decoded.
enum class Unreadable {
  error,  ///< throw, naming the file, when it is asked for
  skip,   ///< leave it out and count it; every file is decoded once more when the tree is opened
};

struct PictureTreeOptions {
  int image_size = 0;          ///< shorter side to this, then the middle square; 0: all must agree in size
  ImageTransform transform{};  ///< unless idle, instead of image_size
  std::int64_t limit = 0;      ///< so many pictures only; 0 means all
  Unreadable unreadable = Unreadable::error;
  bool every_class =
      true;  ///< whether each class of the model must have a folder (ImageNet-R has 200 of 1000)
};

struct PictureTree {
  /// Pictures, decoded when asked for. Labels count the classes of the tree, in alphabetical order.
  std::shared_ptr<const Dataset> data;
  std::vector<std::int64_t> classes;  ///< for each class of the tree its number in the model
  std::int64_t skipped = 0;           ///< pictures left out
};

/// root/CLASS/FILE. Throws DataError for a class that the model does not know, and, with every_class, for one
/// that the tree lacks.
PictureTree open_picture_tree(const std::filesystem::path& root,
                              const std::vector<std::string>& model_classes,
                              const PictureTreeOptions& options = {});

/// root/TYPE/SEVERITY/CLASS/FILE: throws DataError naming every folder TYPE/SEVERITY that is missing.
void check_corrupted_trees(const std::filesystem::path& root, const std::vector<std::string>& types);

}  // namespace noisymix

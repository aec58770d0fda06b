#include "data/corrupted_sets.h"

#include <algorithm>

#include "engine/error.h"

namespace noisymix {
namespace {

namespace fs = std::filesystem;

constexpr int kSeverityBlocks = 5;

/// One severity of one type.
class ArraySet : public Dataset {
 public:
  ArraySet(std::shared_ptr<const NpyRows> rows, std::int64_t first,
           std::shared_ptr<const std::vector<std::int64_t>> labels,
           std::shared_ptr<const std::vector<std::string>> class_names, std::string description)
      : rows_(std::move(rows)),
        first_(first),
        labels_(std::move(labels)),
        class_names_(std::move(class_names)),
        description_(std::move(description)) {}

  std::int64_t size() const override { return static_cast<std::int64_t>(labels_->size()); }
  Example get(std::int64_t index) const override {
    NM_CHECK(index >= 0 && index < size(), "[dataset] example ", index, " of ", size(), " does not exist");
    Example example;
    const Shape& shape = rows_->shape();
    example.image = Image(static_cast<int>(shape[1]), static_cast<int>(shape[2]), static_cast<int>(shape[3]));
    rows_->read(first_ + index, 1, example.image.pixels.data());
    example.label = (*labels_)[static_cast<std::size_t>(index)];
    return example;
  }
  std::vector<std::string> class_names() const override { return *class_names_; }
  std::vector<std::int64_t> sample_shape() const override {
    const Shape& shape = rows_->shape();
    return {shape[1], shape[2], shape[3]};
  }
  std::string description() const override { return description_; }

 private:
  std::shared_ptr<const NpyRows> rows_;
  std::int64_t first_;
  std::shared_ptr<const std::vector<std::int64_t>> labels_;
  std::shared_ptr<const std::vector<std::string>> class_names_;
  std::string description_;
};

std::vector<std::int64_t> label_values(const fs::path& file) {
  const NpyArray array = read_npy(file);
  NM_CHECK_AS(DataError, array.values.rank() == 1, file.string(), ": has the shape ", array.values.shape(),
              ", expected one axis");
  std::vector<std::int64_t> labels;
  switch (array.values.dtype()) {
    case Dtype::u8:
      for (const std::uint8_t v : array.values.to_vector<std::uint8_t>()) labels.push_back(v);
      break;
    case Dtype::i32:
      for (const std::int32_t v : array.values.to_vector<std::int32_t>()) labels.push_back(v);
      break;
    case Dtype::i64:
      labels = array.values.to_vector<std::int64_t>();
      break;
    default:
      fail<DataError>(file.string(), ": holds ", array.file_type, ", expected integers");
  }
  return labels;
}

}  // namespace

CorruptedArrays::CorruptedArrays(const fs::path& root, const std::vector<std::string>& types,
                                 std::vector<std::string> class_names, const Dataset* clean)
    : root_(root), class_names_(std::make_shared<const std::vector<std::string>>(std::move(class_names))) {
  NM_CHECK_AS(DataError, fs::is_directory(root), root.string(),
              ": no such folder, expected one with labels.npy and a .npy file for each type");
  NM_CHECK(!types.empty(), "[corrupted arrays] expects at least one type");
  std::string missing;
  for (const std::string& name : types)
    if (!fs::is_regular_file(root / (name + ".npy")))
      missing += (missing.empty() ? "" : ", ") + name + ".npy";
  if (!fs::is_regular_file(root / "labels.npy"))
    missing += (missing.empty() ? "" : ", ") + std::string("labels.npy");
  NM_CHECK_AS(DataError, missing.empty(), root.string(), ": lacks ", missing);
  for (const std::string& name : types) {
    auto rows = std::make_shared<const NpyRows>(root / (name + ".npy"));
    check_rows(name, *rows, clean);
    types_[name] = std::move(rows);
  }
  read_labels(clean);
}

void CorruptedArrays::check_rows(const std::string& type, const NpyRows& rows, const Dataset* clean) {
  const std::string file = (root_ / (type + ".npy")).string();
  const Shape& shape = rows.shape();
  NM_CHECK_AS(DataError, shape.rank() == 4 && shape[1] > 0 && shape[2] > 0 && shape[3] == 3, file,
              ": has the shape ", shape, ", expected [5 n, height, width, 3]");
  NM_CHECK_AS(DataError, rows.rows() > 0 && rows.rows() % kSeverityBlocks == 0, file, ": has ", rows.rows(),
              " rows, expected the same number for each of 5 severities");
  const Shape picture{shape[1], shape[2], shape[3]};
  if (first_.empty()) {
    first_ = type + ".npy";
    rows_ = rows.rows();
    size_ = rows_ / kSeverityBlocks;
    picture_ = picture;
    if (clean != nullptr) {
      NM_CHECK_AS(DataError, size_ == clean->size(), file, ": has ", size_,
                  " pictures for each severity, but the clean test set has ", clean->size());
      NM_CHECK_AS(DataError, picture.dims() == clean->sample_shape() || clean->transform().resize > 0, file,
                  ": has pictures of ", picture, ", but the clean test set has ",
                  Shape(clean->sample_shape()));
    }
  }
  NM_CHECK_AS(DataError, rows.rows() == rows_, file, ": has ", rows.rows(), " rows, but ", first_, " has ",
              rows_);
  NM_CHECK_AS(DataError, picture == picture_, file, ": has pictures of ", picture, ", but ", first_, " has ",
              picture_);
}

void CorruptedArrays::read_labels(const Dataset* clean) {
  const fs::path path = root_ / "labels.npy";
  const std::string file = path.string();
  std::vector<std::int64_t> labels = label_values(path);
  const auto count = static_cast<std::int64_t>(labels.size());
  NM_CHECK_AS(DataError, count == size_ || count == rows_, file, ": has ", count, " labels, expected ", size_,
              ", one for each picture, or ", rows_, " for all severities");
  const auto classes = static_cast<std::int64_t>(class_names_->size());
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t label = labels[static_cast<std::size_t>(i)];
    NM_CHECK_AS(DataError, label >= 0 && label < classes, file, ": label ", i, " is ", label,
                ", expected 0 to ", classes - 1);
    const std::int64_t first = labels[static_cast<std::size_t>(i % size_)];
    NM_CHECK_AS(DataError, label == first, file, ": label ", i, " is ", label, ", but label ", i % size_,
                ", of the same picture at severity 1, is ", first);
  }
  labels.resize(static_cast<std::size_t>(size_));
  for (std::int64_t i = 0; clean != nullptr && i < size_; ++i) {
    const std::int64_t mine = labels[static_cast<std::size_t>(i)], theirs = clean->label(i);
    NM_CHECK_AS(DataError, mine == theirs, file, ": label ", i, " is ", mine,
                ", but that of the clean test set is ", theirs,
                "; the pictures are others or in another order");
  }
  labels_ = std::make_shared<const std::vector<std::int64_t>>(std::move(labels));
}

std::shared_ptr<const Dataset> CorruptedArrays::open(const std::string& type, int severity) const {
  const auto found = types_.find(type);
  NM_CHECK(found != types_.end(), "[corrupted arrays] type ", type, " was not opened");
  NM_CHECK(severity >= 1 && severity <= kSeverityBlocks, "[corrupted arrays] severity is ", severity,
           ", expected 1 to 5");
  return std::make_shared<ArraySet>(
      found->second, (severity - 1) * size_, labels_, class_names_,
      type + ", severity " + std::to_string(severity) + ", from " + root_.string());
}

}  // namespace noisymix

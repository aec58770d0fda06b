#include "data/identify.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>

#include "data/cifar.h"
#include "data/gzip.h"
#include "data/idx.h"
#include "data/image_codec.h"
#include "data/image_folder.h"
#include "data/npz.h"
#include "data/registry.h"
#include "engine/io/safetensors.h"

namespace noisymix {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostClassesShown = 20;
constexpr std::size_t kMostTensorsShown = 50;

/// Count, mean and standard deviation of values that come one by one.
struct Moments {
  double sum = 0, squares = 0;
  std::int64_t count = 0;
  double least = INFINITY, most = -INFINITY;

  void add(double value) {
    sum += value;
    squares += value * value;
    least = std::min(least, value);
    most = std::max(most, value);
    ++count;
  }
  double mean() const { return count > 0 ? sum / static_cast<double>(count) : 0; }
  double deviation() const {
    return count > 0 ? std::sqrt(std::max(0.0, squares / static_cast<double>(count) - mean() * mean())) : 0;
  }
};

template <typename Values>
std::string joined(const Values& values, const char* separator) {
  std::ostringstream out;
  for (std::size_t i = 0; i < values.size(); ++i) out << (i > 0 ? separator : "") << values[i];
  return out.str();
}

std::string describe_tensor(const Tensor& tensor) {
  std::ostringstream out;
  out << tensor.dtype() << " " << tensor.shape();
  if (tensor.numel() == 0) return out.str();
  Moments moments;
  dispatch_all(tensor.dtype(), [&]<typename T>() {
    const T* p = tensor.data<T>();
    for (std::int64_t i = 0; i < tensor.numel(); ++i)
      moments.add(static_cast<double>(static_cast<compute_t<T>>(p[i])));
  });
  out << ", from " << moments.least << " to " << moments.most << ", mean " << moments.mean()
      << ", standard deviation " << moments.deviation();
  return out.str();
}

std::string describe_npy(const NpyArray& array) {
  return "stored as " + array.file_type + ", read as " + describe_tensor(array.values);
}

std::string describe_image(const char* format, const Image& image) {
  std::ostringstream out;
  out << format << " picture, " << image.height << "x" << image.width
      << (image.channels == 3 ? " RGB" : " grey") << "\n";
  Moments moments;
  for (const std::uint8_t value : image.pixels) moments.add(value);
  out << "mean " << moments.mean() / 255 << ", standard deviation " << moments.deviation() / 255
      << " (of 0 to 1)\n";
  return out.str();
}

std::string describe_safetensors(const fs::path& path) {
  const Safetensors file = read_safetensors(path);
  std::ostringstream out;
  std::int64_t elements = 0;
  for (const auto& [name, tensor] : file.tensors) elements += tensor.numel();
  out << "safetensors, " << file.tensors.size() << " tensors, " << elements << " numbers\n";
  for (std::size_t i = 0; i < file.tensors.size() && i < kMostTensorsShown; ++i)
    out << "  " << printable(file.tensors[i].first, 200) << ": " << describe_tensor(file.tensors[i].second)
        << "\n";
  if (file.tensors.size() > kMostTensorsShown)
    out << "  and " << file.tensors.size() - kMostTensorsShown << " more\n";
  for (const auto& [key, value] : file.metadata)
    out << "  metadata " << printable(key) << ": " << printable(value, 200) << "\n";
  return out.str();
}

std::string describe_npz(const fs::path& path) {
  const auto arrays = read_npz(path);
  std::string text = "npz archive, " + std::to_string(arrays.size()) + " arrays\n";
  for (const auto& [name, array] : arrays) text += "  " + printable(name) + ": " + describe_npy(array) + "\n";
  return text;
}

/// CIFAR files have no magic number: their size is a whole number of records and all labels are in range.
bool describe_cifar_file(const fs::path& path, std::string& text) {
  const std::uint64_t size = fs::file_size(path);
  std::string why;
  for (const CifarKind kind : {CifarKind::cifar10, CifarKind::cifar100}) {
    if (size == 0 || size % cifar_record_bytes(kind) != 0) continue;
    try {
      MemoryImages content{.height = 32, .width = 32, .channels = 3};
      append_cifar_file(path, kind, content);
      content.class_names = cifar_default_names(kind);
      content.description =
          kind == CifarKind::cifar10 ? "CIFAR-10 binary file" : "CIFAR-100 binary file, fine labels";
      text = describe_dataset(*make_memory_dataset(std::move(content)));
      return true;
    } catch (const DataError& error) {
      why = error.what();
    }
  }
  if (!why.empty()) throw DataError(why);  // the right size but a bad label: say which
  return false;
}

std::string describe_file(const fs::path& path) {
  const Bytes head = read_file_head(path, 16);
  const ByteView start(head);
  NM_CHECK_AS(DataError, !head.empty(), path.string(), ": is empty");
  if (is_png(start)) return describe_image("PNG", read_image(path));
  if (is_jpeg(start)) return describe_image("JPEG", read_image(path));
  if (is_gzip(start)) {
    const Bytes content = read_maybe_gzip(path);
    if (is_idx(content))
      return "gzipped IDX array, " + describe_tensor(parse_idx(path.string(), content)) + "\n";
    return "gzip file, " + std::to_string(content.size()) + " bytes unpacked, not an IDX array\n";
  }
  if (head.size() >= 6 && std::equal(head.begin(), head.begin() + 6, "\x93NUMPY", [](std::uint8_t a, char b) {
        return a == static_cast<std::uint8_t>(b);
      }))
    return "npy array, " + describe_npy(read_npy(path)) + "\n";
  if (head.size() >= 4 && head[0] == 'P' && head[1] == 'K') return describe_npz(path);
  if (path.extension() == ".safetensors" || (head.size() >= 9 && head[8] == '{'))
    return describe_safetensors(path);
  std::string text;
  if (describe_cifar_file(path, text)) return text;
  if (is_idx(start)) return "IDX array, " + describe_tensor(read_idx(path)) + "\n";
  fail<DataError>(path.string(),
                  ": unknown format, expected PNG, JPEG, npy, npz, IDX, gzip, safetensors or a CIFAR "
                  "binary (whole records of 3073 or 3074 bytes)");
}

/// Both splits of a set that a folder holds.
template <typename Open>
std::string describe_splits(Open open) {
  return describe_dataset(*open(true)) + describe_dataset(*open(false));
}

std::string describe_image_folder(const fs::path& path) {
  std::ostringstream out;
  for (const bool train : {true, false}) {
    const FolderListing listing = list_image_folder(path, train);
    std::vector<std::int64_t> counts(listing.class_names.size(), 0);
    for (const std::int64_t label : listing.labels) ++counts[static_cast<std::size_t>(label)];
    out << (train ? "train" : "test") << " split: " << listing.files.size() << " pictures in "
        << counts.size() << " classes\n";
    for (std::size_t k = 0; k < counts.size() && k < kMostClassesShown; ++k)
      out << "  " << printable(listing.class_names[k]) << ": " << counts[k] << "\n";
    // Every picture is decoded, because the point of looking is to find the damaged one before training does.
    std::int64_t least[2] = {INT64_MAX, INT64_MAX}, most[2] = {0, 0};
    for (const fs::path& file : listing.files) {
      const Image image = read_image(file);
      const std::int64_t sides[2] = {image.height, image.width};
      for (int s = 0; s < 2; ++s) {
        least[s] = std::min(least[s], sides[s]);
        most[s] = std::max(most[s], sides[s]);
      }
    }
    out << "  sizes from " << least[0] << "x" << least[1] << " to " << most[0] << "x" << most[1] << "\n";
  }
  return "image folder\n" + out.str();
}

std::string describe_folder(const fs::path& path) {
  const auto holds = [&](const char* name) { return fs::exists(path / name); };
  if (holds("cifar-10-batches-bin") || holds("test_batch.bin") || holds("data_batch_1.bin"))
    return describe_splits([&](bool train) { return open_cifar(path, CifarKind::cifar10, train); });
  if (holds("cifar-100-binary") || (holds("train.bin") && holds("test.bin")))
    return describe_splits([&](bool train) { return open_cifar(path, CifarKind::cifar100, train); });
  for (const char* name :
       {"train-images-idx3-ubyte", "train-images-idx3-ubyte.gz", "train-images.idx3-ubyte"})
    if (holds(name)) return describe_splits([&](bool train) { return open_mnist(path, train); });
  if (holds("wnids.txt") || holds("val/val_annotations.txt"))
    return describe_splits(
        [&](bool train) { return open_dataset({.name = "tiny-imagenet", .path = path, .train = train}); });
  const bool has_folders = std::any_of(fs::directory_iterator(path), fs::directory_iterator(),
                                       [](const fs::directory_entry& entry) { return entry.is_directory(); });
  NM_CHECK_AS(
      DataError, has_folders, path.string(),
      ": not a known data set, expected CIFAR binaries, MNIST files or one folder of pictures per class");
  return describe_image_folder(path);
}

}  // namespace

std::string describe_dataset(const Dataset& dataset) {
  const auto shape = dataset.sample_shape();
  const bool images = shape.size() == 3;
  std::vector<std::int64_t> counts(static_cast<std::size_t>(dataset.classes()), 0);
  std::vector<Moments> moments(static_cast<std::size_t>(shape.back()));
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    const Example example = dataset.get(i);
    ++counts[static_cast<std::size_t>(example.label)];
    for (std::size_t p = 0; p < example.image.pixels.size(); ++p)
      moments[p % moments.size()].add(example.image.pixels[p] / 255.0);
    for (std::size_t p = 0; p < example.features.size(); ++p) moments[p].add(example.features[p]);
  }
  std::ostringstream out;
  out << dataset.description() << "\n  " << dataset.size() << (images ? " images of " : " points of ")
      << (shape[0] == 0 ? "different sizes" : joined(shape, "x")) << ", " << counts.size() << " classes\n";
  const auto names = dataset.class_names();
  for (std::size_t k = 0; k < counts.size() && k < kMostClassesShown; ++k)
    out << "  " << printable(names[k]) << ": " << counts[k] << "\n";
  if (counts.size() > kMostClassesShown) {
    const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
    out << "  and " << counts.size() - kMostClassesShown << " more classes; " << *least << " to " << *most
        << " each\n";
  }
  out << std::fixed << std::setprecision(4) << "  mean";
  for (const Moments& m : moments) out << " " << m.mean();
  out << ", standard deviation";
  for (const Moments& m : moments) out << " " << m.deviation();
  out << (images ? " (of 0 to 1)\n" : "\n");
  return out.str();
}

std::string describe_path(const fs::path& path) {
  std::error_code error;
  NM_CHECK_AS(DataError, fs::exists(path, error), path.string(), ": no such file or folder");
  return fs::is_directory(path, error) ? describe_folder(path) : describe_file(path);
}

}  // namespace noisymix

#include "data/export.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "data/cifar.h"
#include "data/image_codec.h"
#include "data/npy.h"
#include "engine/error.h"
#include "engine/io/atomic_file.h"

namespace noisymix {
namespace {

namespace fs = std::filesystem;

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  NM_CHECK_AS(DataError, !error, folder.string(), ": cannot be created: ", error.message());
}

/// Class names come from files: only what is safe as a folder's name is kept.
std::string folder_name(const std::string& class_name) {
  std::string name = class_name;
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return c < 32 || c == '/' || c == '\\' || c == ':'; },
      '_');
  if (name.empty() || name[0] == '.') name.insert(0, "_");
  return name;
}

void export_png(const Dataset& dataset, const fs::path& dir) {
  NM_CHECK_AS(DataError, dataset.sample_shape().size() == 3, dataset.description(),
              ": holds no images, export it as npy");
  std::vector<fs::path> folders;
  for (const std::string& name : dataset.class_names()) folders.push_back(dir / folder_name(name));
  NM_CHECK_AS(DataError, std::set<fs::path>(folders.begin(), folders.end()).size() == folders.size(),
              dataset.description(), ": two classes have one name, export it as npy");
  for (const fs::path& folder : folders) make_folder(folder);
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    const Example example = dataset.get(i);
    char file[32];
    std::snprintf(file, sizeof(file), "%06lld.png", static_cast<long long>(i));
    write_png(folders[static_cast<std::size_t>(example.label)] / file, example.image);
  }
}

void export_npy(const Dataset& dataset, const fs::path& dir) {
  const bool images = dataset.sample_shape().size() == 3;
  NM_CHECK_AS(DataError, dataset.sample_shape()[0] > 0, dataset.description(),
              ": the pictures differ in size, which an array cannot hold; choose a crop or export it as png");
  std::vector<std::int64_t> dims{dataset.size()};
  for (const std::int64_t dim : dataset.sample_shape()) dims.push_back(dim);
  Tensor values = Tensor::empty(Shape(dims), images ? Dtype::u8 : Dtype::f32);
  Tensor labels = Tensor::empty(Shape({dataset.size()}), Dtype::i64);
  const std::size_t bytes =
      dataset.size() > 0 ? values.bytes() / static_cast<std::size_t>(dataset.size()) : 0;
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    const Example example = dataset.get(i);
    const auto* source = images ? reinterpret_cast<const std::byte*>(example.image.pixels.data())
                                : reinterpret_cast<const std::byte*>(example.features.data());
    std::copy_n(source, bytes, values.raw() + static_cast<std::size_t>(i) * bytes);
    labels.mutable_data<std::int64_t>()[i] = example.label;
  }
  write_npy(dir / (images ? "images.npy" : "features.npy"), values);
  write_npy(dir / "labels.npy", labels);
}

void export_cifar(const Dataset& dataset, const fs::path& dir, const std::string& name) {
  NM_CHECK_AS(DataError,
              dataset.sample_shape() == std::vector<std::int64_t>({32, 32, 3}) && dataset.classes() == 10,
              dataset.description(),
              ": the CIFAR-10 layout holds 32x32 RGB images of 10 classes, export it as png or npy");
  AtomicFile file(dir / (name + ".bin"));
  Bytes record(cifar_record_bytes(CifarKind::cifar10));
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    const Example example = dataset.get(i);
    record[0] = static_cast<std::uint8_t>(example.label);
    const std::size_t plane = kCifarImageBytes / 3;
    for (std::size_t p = 0; p < plane; ++p)
      for (std::size_t c = 0; c < 3; ++c) record[1 + c * plane + p] = example.image.pixels[3 * p + c];
    file.write(record.data(), record.size());
  }
  file.commit();
  std::string names;
  for (const std::string& class_name : dataset.class_names()) names += class_name + "\n";
  write_file_atomically(dir / "batches.meta.txt", names);
}

}  // namespace

std::string export_dataset(const Dataset& dataset, const fs::path& dir, const std::string& format,
                           const std::string& name) {
  NM_CHECK_AS(ConfigError, format == "png" || format == "npy" || format == "cifar", "unknown export format '",
              format, "', expected png, npy or cifar");
  make_folder(dir);
  if (format == "png") export_png(dataset, dir);
  if (format == "npy") export_npy(dataset, dir);
  if (format == "cifar") export_cifar(dataset, dir, name);
  return "wrote " + std::to_string(dataset.size()) + " examples to " + dir.string() + " as " + format;
}

}  // namespace noisymix

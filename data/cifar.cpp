#include "data/cifar.h"

#include "engine/error.h"

namespace noisymix {
namespace {

namespace fs = std::filesystem;

constexpr int kSide = 32;
constexpr std::size_t kPlane = kSide * kSide;
constexpr int kCoarseClasses = 20;

struct Layout {
  const char* title;
  const char* official_folder;
  const char* names_file;
  std::vector<std::string> train, test;
};

Layout layout_of(CifarKind kind) {
  if (kind == CifarKind::cifar100)
    return {"CIFAR-100", "cifar-100-binary", "fine_label_names.txt", {"train.bin"}, {"test.bin"}};
  return {
      "CIFAR-10",
      "cifar-10-batches-bin",
      "batches.meta.txt",
      {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
      {"test_batch.bin"}};
}

/// The folder that holds the first of the wanted files: the given one, or the official folder inside it.
fs::path find_folder(const fs::path& given, const Layout& layout, const std::string& first_file) {
  NM_CHECK_AS(DataError, !given.empty(), layout.title, " needs a path: the folder that holds ",
              layout.official_folder, "/");
  NM_CHECK_AS(DataError, fs::is_directory(given), given.string(),
              ": no such folder, expected the one that holds ", layout.official_folder, "/");
  const fs::path candidates[] = {given, given / layout.official_folder};
  for (const fs::path& folder : candidates)
    if (fs::exists(folder / first_file)) return folder;
  fail<DataError>(given.string(), ": neither ", first_file, " nor ", layout.official_folder, "/", first_file,
                  " is here, unpack the binary version of ", layout.title, " in this folder");
}

std::vector<std::string> read_names(const fs::path& file, CifarKind kind) {
  if (!fs::exists(file)) return cifar_default_names(kind);
  std::vector<std::string> names = read_file_lines(file);
  const auto expected = static_cast<std::size_t>(cifar_classes(kind));
  NM_CHECK_AS(DataError, names.size() == expected, file.string(), ": ", names.size(),
              " class names, expected ", expected, "; remove the file to use the built-in names");
  return names;
}

/// Planes to interleaved channels.
void append_image(const std::uint8_t* planes, Bytes& pixels) {
  for (std::size_t i = 0; i < kPlane; ++i) {
    pixels.push_back(planes[i]);
    pixels.push_back(planes[i + kPlane]);
    pixels.push_back(planes[i + 2 * kPlane]);
  }
}

}  // namespace

std::vector<std::string> cifar_default_names(CifarKind kind) {
  if (kind == CifarKind::cifar10)
    return {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};
  std::vector<std::string> names;
  for (int i = 0; i < cifar_classes(kind); ++i) names.push_back("class_" + std::to_string(i));
  return names;
}

void append_cifar_file(const fs::path& file, CifarKind kind, MemoryImages& content) {
  const Bytes bytes = read_file_bytes(file);
  const std::size_t record = cifar_record_bytes(kind), label_bytes = record - kCifarImageBytes;
  NM_CHECK_AS(DataError, !bytes.empty() && bytes.size() % record == 0, file.string(), ": ", bytes.size(),
              " bytes, expected a whole number of ", record, "-byte records; the file is truncated or not ",
              layout_of(kind).title, ", download it again");
  const std::size_t count = bytes.size() / record;
  content.pixels.reserve(content.pixels.size() + count * kCifarImageBytes);
  content.labels.reserve(content.labels.size() + count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t* at = bytes.data() + i * record;
    if (kind == CifarKind::cifar100)
      NM_CHECK_AS(DataError, at[0] < kCoarseClasses, file.string(), ": record ", i, " has coarse label ",
                  int{at[0]}, ", expected 0 to ", kCoarseClasses - 1,
                  "; the file is damaged, download it again");
    const int label = at[label_bytes - 1];
    NM_CHECK_AS(DataError, label < cifar_classes(kind), file.string(), ": record ", i, " has label ", label,
                ", expected 0 to ", cifar_classes(kind) - 1, "; the file is damaged, download it again");
    append_image(at + label_bytes, content.pixels);
    content.labels.push_back(label);
  }
}

std::shared_ptr<const Dataset> open_cifar(const fs::path& given, CifarKind kind, bool train) {
  const Layout layout = layout_of(kind);
  const auto& files = train ? layout.train : layout.test;
  const fs::path folder = find_folder(given, layout, files.front());
  MemoryImages content{.height = kSide, .width = kSide, .channels = 3};
  for (const std::string& file : files) append_cifar_file(folder / file, kind, content);
  content.class_names = read_names(folder / layout.names_file, kind);
  content.description =
      std::string(layout.title) + (train ? " train from " : " test from ") + folder.string();
  return make_memory_dataset(std::move(content));
}

}  // namespace noisymix

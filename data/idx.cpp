#include "data/idx.h"

#include <algorithm>
#include <cstring>

#include "data/gzip.h"
#include "data/memory_dataset.h"
#include "engine/error.h"

namespace noisymix {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxRank = 4;
constexpr std::int64_t kLeastClasses = 10;  // a part of a set must not have fewer classes than the whole

struct ElementType {
  std::uint8_t code;
  std::size_t size;
  Dtype dtype;
};

constexpr ElementType kElementTypes[] = {
    {0x08, 1, Dtype::u8},  {0x09, 1, Dtype::i32}, {0x0B, 2, Dtype::i32},
    {0x0C, 4, Dtype::i32}, {0x0D, 4, Dtype::f32}, {0x0E, 8, Dtype::f64},
};

const ElementType* find_type(std::uint8_t code) {
  for (const ElementType& type : kElementTypes)
    if (type.code == code) return &type;
  return nullptr;
}

template <typename T>
T swapped(const std::uint8_t* from) {
  std::uint8_t bytes[sizeof(T)];
  std::reverse_copy(from, from + sizeof(T), bytes);
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

template <typename From, typename To>
void convert(const std::uint8_t* from, Tensor& to) {
  To* out = to.mutable_data<To>();
  for (std::int64_t i = 0; i < to.numel(); ++i)
    out[i] = static_cast<To>(swapped<From>(from + sizeof(From) * static_cast<std::size_t>(i)));
}

fs::path find_file(const fs::path& folder, const std::string& split, const std::string& what,
                   const std::string& rank) {
  const std::string first = split + "-" + what + "-idx" + rank + "-ubyte";
  const std::string names[] = {first, split + "-" + what + ".idx" + rank + "-ubyte"};
  for (const std::string& name : names)
    for (const char* suffix : {"", ".gz"})
      if (fs::exists(folder / (name + suffix))) return folder / (name + suffix);
  fail<DataError>((folder / first).string(),
                  ": no such file, plain or .gz; expected the four files of MNIST there");
}

}  // namespace

bool is_idx(ByteView bytes) {
  return bytes.size() >= 4 && bytes[0] == 0 && bytes[1] == 0 && find_type(bytes[2]) != nullptr &&
         bytes[3] >= 1 && bytes[3] <= kMaxRank;
}

Tensor parse_idx(const std::string& name, ByteView bytes) {
  NM_CHECK_AS(DataError, is_idx(bytes), name,
              ": not an IDX file, expected it to begin with 00 00, a type and 1 to ", kMaxRank, " axes");
  const ElementType type = *find_type(bytes[2]);
  const std::size_t rank = bytes[3], start = 4 + 4 * rank;
  NM_CHECK_AS(DataError, bytes.size() >= start, name, ": the IDX header is truncated");
  std::vector<std::uint64_t> sizes;
  for (std::size_t d = 0; d < rank; ++d) sizes.push_back(big_endian_32(&bytes[4 + 4 * d]));
  std::uint64_t count = 0;
  const bool fits = checked_product(sizes, kLargestFile, count);
  NM_CHECK_AS(DataError, fits && count * type.size == bytes.size() - start, name, ": holds ",
              bytes.size() - start,
              " bytes of data, which do not fill the sizes in its header; the file is truncated or damaged");

  Tensor values = Tensor::empty(Shape(std::vector<std::int64_t>(sizes.begin(), sizes.end())), type.dtype);
  const std::uint8_t* data = bytes.data() + start;
  switch (type.code) {
    case 0x08:
      convert<std::uint8_t, std::uint8_t>(data, values);
      break;
    case 0x09:
      convert<std::int8_t, std::int32_t>(data, values);
      break;
    case 0x0B:
      convert<std::int16_t, std::int32_t>(data, values);
      break;
    case 0x0C:
      convert<std::int32_t, std::int32_t>(data, values);
      break;
    case 0x0D:
      convert<float, float>(data, values);
      break;
    default:
      convert<double, double>(data, values);
      break;
  }
  return values;
}

Tensor read_idx(const fs::path& path) {
  return parse_idx(path.string(), read_maybe_gzip(path));
}

std::shared_ptr<const Dataset> open_mnist(const fs::path& folder, bool train) {
  NM_CHECK_AS(DataError, !folder.empty(),
              "mnist needs a path: the folder with train-images-idx3-ubyte[.gz] and so on");
  NM_CHECK_AS(DataError, fs::is_directory(folder), folder.string(), ": no such folder");
  const std::string split = train ? "train" : "t10k";
  const fs::path image_file = find_file(folder, split, "images", "3"),
                 label_file = find_file(folder, split, "labels", "1");
  const Tensor images = read_idx(image_file), labels = read_idx(label_file);
  NM_CHECK_AS(DataError, images.rank() == 3 && images.dtype() == Dtype::u8, image_file.string(), ": holds ",
              images.shape(), " ", images.dtype(), ", expected bytes [count, height, width]");
  NM_CHECK_AS(DataError, labels.rank() == 1 && labels.dtype() == Dtype::u8, label_file.string(), ": holds ",
              labels.shape(), " ", labels.dtype(), ", expected bytes [count]");
  NM_CHECK_AS(DataError, images.dim(0) == labels.dim(0), image_file.string(), ": ", images.dim(0),
              " images but ", labels.dim(0), " labels in ", label_file.filename().string(),
              "; the files do not belong together");
  NM_CHECK_AS(DataError,
              images.dim(1) >= 1 && images.dim(1) <= 4096 && images.dim(2) >= 1 && images.dim(2) <= 4096,
              image_file.string(), ": images of ", images.dim(1), "x", images.dim(2),
              ", expected sides of 1 to 4096");

  MemoryImages content{
      .height = static_cast<int>(images.dim(1)), .width = static_cast<int>(images.dim(2)), .channels = 1};
  const auto* pixels = images.data<std::uint8_t>();
  content.pixels.assign(pixels, pixels + images.numel());
  std::int64_t classes = kLeastClasses;
  for (const std::uint8_t label : labels.to_vector<std::uint8_t>()) {
    content.labels.push_back(label);
    classes = std::max<std::int64_t>(classes, label + 1);
  }
  for (std::int64_t i = 0; i < classes; ++i) content.class_names.push_back(std::to_string(i));
  content.description = "IDX images from " + image_file.string();
  return make_memory_dataset(std::move(content));
}

}  // namespace noisymix

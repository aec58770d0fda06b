#include "engine/io/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <functional>
#include <limits>
#include <set>
#include <string_view>
#include <tuple>

#include <nlohmann/json.hpp>

#include "engine/io/atomic_file.h"

namespace noisymix {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors stores little-endian numbers");

using Json = nlohmann::json;                 // for reading: lookups stay fast however many keys a file has
using OrderedJson = nlohmann::ordered_json;  // for writing: keys appear in the order of the data

constexpr std::uint64_t kLargestHeader = 100'000'000;  // the limit of the reference implementation
constexpr std::uint64_t kLengthBytes = 8;              // the file starts with the header's length
constexpr std::size_t kMostAxes = 64;                  // keeps shapes, and messages that show them, short
constexpr const char* kMetadata = "__metadata__";

float half_to_float(std::uint16_t h) {
  const std::uint32_t sign = (h & 0x8000u) << 16, exponent = (h >> 10) & 31u, fraction = h & 0x3FFu;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000u | fraction << 13);
  if (exponent > 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
  const float subnormal = static_cast<float>(fraction) * 0x1p-24f;
  return sign != 0 ? -subnormal : subnormal;
}

/// Converts `count` unaligned elements.
template <typename From, typename To>
void widen(const std::byte* from, std::byte* to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    From value;
    std::memcpy(&value, from + i * sizeof(From), sizeof(From));
    const To wide = static_cast<To>(value);
    std::memcpy(to + i * sizeof(To), &wide, sizeof(To));
  }
}

void widen_half(const std::byte* from, std::byte* to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    std::uint16_t half;
    std::memcpy(&half, from + 2 * i, 2);
    const float wide = half_to_float(half);
    std::memcpy(to + 4 * i, &wide, 4);
  }
}

/// An element type of the format and the Dtype it becomes; without `convert` the bytes stay as they are.
struct FileType {
  std::string_view name;
  std::size_t size;
  Dtype dtype;
  void (*convert)(const std::byte* from, std::byte* to, std::size_t count) = nullptr;
};

constexpr FileType kFileTypes[] = {
    {"F32", 4, Dtype::f32},
    {"BF16", 2, Dtype::bf16},
    {"F64", 8, Dtype::f64},
    {"I64", 8, Dtype::i64},
    {"I32", 4, Dtype::i32},
    {"U8", 1, Dtype::u8},
    {"BOOL", 1, Dtype::u8},
    {"F16", 2, Dtype::f32, widen_half},
    {"I8", 1, Dtype::i32, widen<std::int8_t, std::int32_t>},
    {"I16", 2, Dtype::i32, widen<std::int16_t, std::int32_t>},
    {"U16", 2, Dtype::i32, widen<std::uint16_t, std::int32_t>},
    {"U32", 4, Dtype::i64, widen<std::uint32_t, std::int64_t>},
};

/// Text from the file as it may appear in a one-line message: quoted, control bytes replaced, cut when long.
std::string printable(std::string_view text) {
  std::string result = "'";
  for (const char c : text.substr(0, 80))
    result += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  return result + (text.size() > 80 ? "...'" : "'");
}

struct Entry {
  std::string name;
  const FileType* type;
  Shape shape;
  std::uint64_t begin, end;  // bytes in the data section
};

struct Header {
  std::vector<Entry> entries;  // by position of their data
  std::map<std::string, std::string> metadata;
};

/// Turns header text into checked entries. Every message starts with the file's name.
class HeaderReader {
 public:
  HeaderReader(const std::string& file, std::uint64_t data_bytes) : file_(file), data_bytes_(data_bytes) {}

  Header read(std::string_view text) const {
    check(!text.empty() && text.front() == '{', "header must start with '{'");
    const Json json = parse(text);
    Header header;
    for (const auto& [name, value] : json.items()) {
      if (name == kMetadata)
        header.metadata = metadata(value);
      else
        header.entries.push_back(entry(name, value));
    }
    check_layout(header.entries);
    return header;
  }

 private:
  template <typename... Parts>
  void check(bool condition, const Parts&... parts) const {
    if (!condition) fail<DataError>(file_, ": ", parts...);
  }

  /// Beyond plain JSON: keys are unique, and the nesting that a header needs (tensor, shape) is the deepest
  /// allowed, so that brackets alone cannot multiply a file's size in memory.
  Json parse(std::string_view text) const {
    std::vector<std::set<std::string>> keys;  // of each open object
    const auto watch = [&](int depth, nlohmann::json::parse_event_t event, Json& value) {
      using Event = nlohmann::json::parse_event_t;
      if (event == Event::object_start || event == Event::array_start)
        check(depth < 3, "header is nested too deeply");
      if (event == Event::object_start) keys.emplace_back();
      if (event == Event::object_end) keys.pop_back();
      if (event == Event::key) {
        const auto& key = value.get_ref<const std::string&>();
        check(keys.back().insert(key).second, "header has the key ", printable(key), " twice");
      }
      return true;
    };
    try {
      return Json::parse(text, watch);
    } catch (const Json::parse_error& error) {
      fail<DataError>(file_, ": header is not valid UTF-8 JSON, error at byte ", error.byte, " of it");
    } catch (const Json::out_of_range&) {
      fail<DataError>(file_, ": header has a number too large for any type");
    }
  }

  std::map<std::string, std::string> metadata(const Json& json) const {
    check(json.is_object(), "__metadata__ must be an object of strings");
    std::map<std::string, std::string> result;
    for (const auto& [key, value] : json.items()) {
      check(value.is_string(), "__metadata__ entry ", printable(key), " must be a string");
      result[key] = value.get_ref<const std::string&>();
    }
    return result;
  }

  Entry entry(const std::string& name, const Json& json) const {
    const std::string label = "tensor " + printable(name);
    check(json.is_object(), label, " must be an object with dtype, shape and data_offsets");
    for (const char* field : {"dtype", "shape", "data_offsets"})
      check(json.contains(field), label, " has no ", field);

    Entry entry;
    entry.name = name;
    entry.type = file_type(label, json.at("dtype"));
    entry.shape = shape(label, json.at("shape"));
    const Json& offsets = json.at("data_offsets");
    check(offsets.is_array() && offsets.size() == 2, label, " needs two data_offsets, begin and end");
    entry.begin = natural(label, "data_offsets", offsets[0]);
    entry.end = natural(label, "data_offsets", offsets[1]);
    check(entry.begin <= entry.end && entry.end <= data_bytes_, label, " has data_offsets ", entry.begin,
          "..", entry.end, ", expected begin <= end <= ", data_bytes_, " bytes of data");
    const std::uint64_t bytes = static_cast<std::uint64_t>(entry.shape.numel()) * entry.type->size;
    check(entry.end - entry.begin == bytes, label, " spans ", entry.end - entry.begin, " bytes, but ",
          entry.type->name, " ", entry.shape, " needs ", bytes);
    return entry;
  }

  const FileType* file_type(const std::string& label, const Json& json) const {
    check(json.is_string(), label, " has a dtype that is not a string");
    const auto& name = json.get_ref<const std::string&>();
    std::string known;
    for (const FileType& type : kFileTypes) {
      if (type.name == name) return &type;
      known += (known.empty() ? "" : ", ") + std::string(type.name);
    }
    fail<DataError>(file_, ": ", label, " has dtype ", printable(name), ", supported are ", known);
  }

  /// A JSON integer that is not negative. NaN is not JSON, and 2.0 or 1e400 are not integers.
  std::uint64_t natural(const std::string& label, const char* field, const Json& json) const {
    if (json.is_number_unsigned()) return json.get<std::uint64_t>();
    fail<DataError>(file_, ": ", label, " needs non-negative integers in ", field, ", has ",
                    json.is_number() ? json.dump() : json.type_name());
  }

  Shape shape(const std::string& label, const Json& json) const {
    check(json.is_array(), label, " has a shape that is not an array");
    check(json.size() <= kMostAxes, label, " has ", json.size(), " axes, expected at most ", kMostAxes);
    std::vector<std::int64_t> sizes;
    for (const Json& size : json) {
      const std::uint64_t value = natural(label, "shape", size);
      check(value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()), label,
            " has a shape with too many elements");
      sizes.push_back(static_cast<std::int64_t>(value));
    }
    try {
      return Shape(std::move(sizes));
    } catch (const ShapeError&) {
      fail<DataError>(file_, ": ", label, " has a shape with too many elements");
    }
  }

  /// The data of all tensors, in order, fills the data section exactly.
  void check_layout(std::vector<Entry>& entries) const {
    const auto place = [](const Entry& e) { return std::tie(e.begin, e.end); };
    std::stable_sort(entries.begin(), entries.end(),
                     [&](const Entry& a, const Entry& b) { return place(a) < place(b); });
    std::uint64_t position = 0;
    for (const Entry& entry : entries) {
      check(entry.begin == position, "tensor ", printable(entry.name), " starts at byte ", entry.begin,
            " of the data, expected ", position, entry.begin < position ? " (overlap)" : " (hole)");
      position = entry.end;
    }
    check(position == data_bytes_, "tensors end at byte ", position, " of ", data_bytes_, " bytes of data");
  }

  const std::string& file_;
  std::uint64_t data_bytes_;
};

/// Copies file bytes [offset, offset + bytes) to `target`; throws DataError when they cannot be had.
using ReadAt = std::function<void(std::uint64_t offset, std::size_t bytes, void* target)>;

Safetensors read_all(const std::string& file, std::uint64_t size, const ReadAt& read) {
  NM_CHECK_AS(DataError, size >= kLengthBytes, file, ": ", size, " bytes are too few for a safetensors file");
  std::uint64_t length = 0;
  read(0, kLengthBytes, &length);
  NM_CHECK_AS(DataError, length <= kLargestHeader, file, ": header length ", length, " exceeds the limit of ",
              kLargestHeader, "; not a safetensors file?");
  NM_CHECK_AS(DataError, length <= size - kLengthBytes, file, ": header length ", length,
              " exceeds the file of ", size, " bytes; truncated?");
  std::string text(static_cast<std::size_t>(length), '\0');
  read(kLengthBytes, text.size(), text.data());
  const std::uint64_t data_start = kLengthBytes + length;
  Header header = HeaderReader(file, size - data_start).read(text);

  Safetensors result;
  result.metadata = std::move(header.metadata);
  std::vector<std::byte> narrow;
  for (Entry& entry : header.entries) {
    Tensor tensor = Tensor::empty(entry.shape, entry.type->dtype);
    const auto bytes = static_cast<std::size_t>(entry.end - entry.begin);
    if (entry.type->convert == nullptr) {
      read(data_start + entry.begin, bytes, tensor.raw());
    } else {
      narrow.resize(bytes);
      read(data_start + entry.begin, bytes, narrow.data());
      entry.type->convert(narrow.data(), tensor.raw(), static_cast<std::size_t>(entry.shape.numel()));
    }
    result.tensors.emplace_back(std::move(entry.name), std::move(tensor));
  }
  return result;
}

const FileType& stored_type(Dtype dtype) {
  return *std::find_if(std::begin(kFileTypes), std::end(kFileTypes),
                       [&](const FileType& type) { return type.dtype == dtype; });
}

/// The header of `ordered` tensors, padded so that the data starts at a multiple of 8 bytes.
std::string header_text(const std::string& file, const Safetensors& content,
                        const std::vector<const std::pair<std::string, Tensor>*>& ordered) {
  OrderedJson json = OrderedJson::object();
  if (!content.metadata.empty()) json[kMetadata] = content.metadata;
  std::set<std::string> names;
  std::uint64_t position = 0;
  for (const auto* item : ordered) {
    const auto& [name, tensor] = *item;
    NM_CHECK_AS(DataError, name != kMetadata && names.insert(name).second, file, ": tensor name ",
                printable(name), name == kMetadata ? " is reserved" : " is used twice");
    const std::uint64_t end = position + tensor.bytes();
    // emplace_back: looking up each of thousands of keys in an ordered object would be quadratic
    json.get_ref<OrderedJson::object_t&>().emplace_back(
        name, OrderedJson{{"dtype", stored_type(tensor.dtype()).name},
                          {"shape", tensor.shape().dims()},
                          {"data_offsets", {position, end}}});
    position = end;
  }
  std::string text;
  try {
    text = json.dump();
  } catch (const OrderedJson::type_error&) {
    fail<DataError>(file, ": names and metadata must be valid UTF-8");
  }
  NM_CHECK_AS(DataError, text.size() <= kLargestHeader - kLengthBytes, file, ": header of ", text.size(),
              " bytes exceeds the limit of ", kLargestHeader);
  text.append((kLengthBytes - text.size() % kLengthBytes) % kLengthBytes, ' ');
  return text;
}

}  // namespace

const Tensor* Safetensors::find(const std::string& name) const {
  for (const auto& [key, tensor] : tensors)
    if (key == name) return &tensor;
  return nullptr;
}

const Tensor& Safetensors::at(const std::string& name) const {
  if (const Tensor* tensor = find(name)) return *tensor;
  std::string known;
  for (const auto& [key, tensor] : tensors) known += (known.empty() ? "" : ", ") + key;
  fail<DataError>("[safetensors] no tensor ", printable(name), ", present: ", known.empty() ? "none" : known);
}

Safetensors read_safetensors(const std::filesystem::path& path) {
  const std::string file = path.string();
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(path, error);
  NM_CHECK_AS(DataError, !error, file, ": cannot read this file: ", error.message());
  std::ifstream in(path, std::ios::binary);
  NM_CHECK_AS(DataError, in.is_open(), file, ": cannot open this file for reading");
  return read_all(file, size, [&](std::uint64_t offset, std::size_t bytes, void* target) {
    in.seekg(static_cast<std::streamoff>(offset));
    in.read(static_cast<char*>(target), static_cast<std::streamsize>(bytes));
    NM_CHECK_AS(DataError, in.good(), file, ": reading ", bytes, " bytes at ", offset, " failed");
  });
}

Safetensors parse_safetensors(const std::string& name, const std::byte* data, std::size_t size) {
  return read_all(name, size, [&](std::uint64_t offset, std::size_t bytes, void* target) {
    if (bytes > 0) std::memcpy(target, data + offset, bytes);
  });
}

void write_safetensors(const std::filesystem::path& path, const Safetensors& content) {
  const std::string file = path.string();
  std::vector<const std::pair<std::string, Tensor>*> ordered;
  for (const auto& item : content.tensors) {
    NM_CHECK_AS(DataError, item.second.defined(), file, ": tensor ", printable(item.first), " is undefined");
    ordered.push_back(&item);
  }
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto* a, const auto* b) {
    return size_of(a->second.dtype()) > size_of(b->second.dtype());
  });
  const std::string header = header_text(file, content, ordered);
  const std::uint64_t length = header.size();
  AtomicFile out(path);
  out.write(&length, sizeof(length));
  out.write(header);
  for (const auto* item : ordered) {
    const Tensor host = item->second.detach().to(Device{});
    out.write(host.raw(), host.bytes());
  }
  out.commit();
}

}  // namespace noisymix

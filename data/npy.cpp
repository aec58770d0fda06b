#include "data/npy.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>

#include "engine/io/atomic_file.h"

namespace noisymix {
namespace {

static_assert(std::endian::native == std::endian::little,
              "elements are swapped on the way in, assuming this machine");

constexpr std::string_view kMagic{"\x93NUMPY", 6};
constexpr std::size_t kMaxRank = 32;  // NumPy's own limit
constexpr std::size_t kLargestHeader = 1 << 20;

struct Header {
  std::string descr;
  bool fortran = false;
  std::vector<std::uint64_t> shape;
};

/// Reader of the header, a Python dictionary literal with the keys descr, fortran_order and shape.
class HeaderParser {
 public:
  HeaderParser(const std::string& name, std::string_view text) : name_(name), text_(text) {}

  Header parse() {
    Header header;
    bool have_descr = false, have_order = false, have_shape = false;
    expect('{');
    while (!accept('}')) {
      const std::string key = string();
      expect(':');
      if (key == "descr" && !have_descr) {
        have_descr = true;
        if (peek() == '[') bad("structured arrays are not supported, expected a plain number type");
        header.descr = string();
      } else if (key == "fortran_order" && !have_order) {
        have_order = true;
        header.fortran = boolean();
      } else if (key == "shape" && !have_shape) {
        have_shape = true;
        header.shape = tuple();
      } else {
        bad("unexpected key in the header");
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    if (peek() != '\0') bad("text after the header's dictionary");
    if (!(have_descr && have_order && have_shape)) bad("the header needs descr, fortran_order and shape");
    return header;
  }

 private:
  [[noreturn]] void bad(const char* what) const { fail<DataError>(name_, ": not a valid .npy file: ", what); }

  char peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char c) {
    if (peek() != c || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) bad("the header is not a dictionary of descr, fortran_order and shape");
  }
  std::string string() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') bad("the header's keys and descr must be strings");
    const std::size_t begin = ++at_;
    while (at_ < text_.size() && text_[at_] != quote) ++at_;
    if (at_ >= text_.size()) bad("unfinished string in the header");
    return std::string(text_.substr(begin, at_++ - begin));
  }
  bool boolean() {
    peek();
    for (const auto& [word, value] : {std::pair{std::string_view("True"), true}, {"False", false}})
      if (text_.substr(std::min(at_, text_.size())).starts_with(word)) {
        at_ += word.size();
        return value;
      }
    bad("fortran_order must be True or False");
  }
  std::uint64_t number() {
    if (!std::isdigit(static_cast<unsigned char>(peek()))) bad("the shape must hold non-negative integers");
    std::uint64_t value = 0;
    for (; at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])); ++at_) {
      if (value > (std::uint64_t{1} << 58)) bad("a size in the shape is too large");
      value = value * 10 + static_cast<std::uint64_t>(text_[at_] - '0');
    }
    return value;
  }
  std::vector<std::uint64_t> tuple() {
    std::vector<std::uint64_t> sizes;
    expect('(');
    while (!accept(')')) {
      if (sizes.size() == kMaxRank) bad("the shape has more than 32 axes");
      sizes.push_back(number());
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return sizes;
  }

  const std::string& name_;
  std::string_view text_;
  std::size_t at_ = 0;
};

float half_to_float(std::uint16_t half) {
  const int exponent = (half >> 10) & 31, fraction = half & 0x3FF;
  const float sign = (half & 0x8000) != 0 ? -1.0f : 1.0f;
  if (exponent == 31)
    return fraction != 0 ? std::numeric_limits<float>::quiet_NaN()
                         : sign * std::numeric_limits<float>::infinity();
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  return sign * std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
}

template <typename From, typename To>
void widen(const std::uint8_t* from, std::byte* to) {
  From value;
  std::memcpy(&value, from, sizeof(From));
  const To wide = static_cast<To>(value);
  std::memcpy(to, &wide, sizeof(To));
}

void widen_half(const std::uint8_t* from, std::byte* to) {
  const float wide = half_to_float(little_endian_16(from));
  std::memcpy(to, &wide, sizeof(wide));
}

/// An element type of the format; `descr` without the byte-order character.
struct FileType {
  std::string_view descr;
  const char* name;
  std::size_t size;
  Dtype dtype;
  void (*convert)(const std::uint8_t* from, std::byte* to);
};

constexpr FileType kFileTypes[] = {
    {"u1", "uint8", 1, Dtype::u8, widen<std::uint8_t, std::uint8_t>},
    {"b1", "bool", 1, Dtype::u8, widen<std::uint8_t, std::uint8_t>},
    {"i1", "int8", 1, Dtype::i32, widen<std::int8_t, std::int32_t>},
    {"i2", "int16", 2, Dtype::i32, widen<std::int16_t, std::int32_t>},
    {"u2", "uint16", 2, Dtype::i32, widen<std::uint16_t, std::int32_t>},
    {"i4", "int32", 4, Dtype::i32, widen<std::int32_t, std::int32_t>},
    {"u4", "uint32", 4, Dtype::i64, widen<std::uint32_t, std::int64_t>},
    {"i8", "int64", 8, Dtype::i64, widen<std::int64_t, std::int64_t>},
    {"u8", "uint64", 8, Dtype::i64, widen<std::uint64_t, std::int64_t>},
    {"f2", "float16", 2, Dtype::f32, widen_half},
    {"f4", "float32", 4, Dtype::f32, widen<float, float>},
    {"f8", "float64", 8, Dtype::f64, widen<double, double>},
};

const FileType& file_type_of(const std::string& name, const std::string& descr) {
  if (!descr.empty() && std::string_view("<>|=").find(descr[0]) != std::string_view::npos)
    for (const FileType& type : kFileTypes)
      if (std::string_view(descr).substr(1) == type.descr && (descr[0] != '|' || type.size == 1)) return type;
  fail<DataError>(name, ": element type '", printable(descr),
                  "' is not supported, expected integers, bool or float16 to float64");
}

/// Copies all elements in C order. The i-th element in C order sits at the offset with reversed strides in a
/// Fortran file.
void convert_elements(const Header& header, const FileType& type, bool swap, const std::uint8_t* data,
                      Tensor& out) {
  const auto count = static_cast<std::size_t>(out.numel());
  const std::size_t rank = header.shape.size(), out_size = size_of(type.dtype);
  std::byte* target = out.raw();
  if (!swap && !(header.fortran && rank > 1) && out_size == type.size) {
    if (count > 0) std::memcpy(target, data, count * out_size);
    return;
  }
  std::vector<std::size_t> index(rank, 0), stride(rank, 1);
  if (header.fortran)
    for (std::size_t d = 1; d < rank; ++d)
      stride[d] = stride[d - 1] * static_cast<std::size_t>(header.shape[d - 1]);
  else
    for (std::size_t d = rank; d-- > 1;)
      stride[d - 1] = stride[d] * static_cast<std::size_t>(header.shape[d]);
  std::size_t source = 0;
  std::uint8_t element[8];
  for (std::size_t i = 0; i < count; ++i) {
    std::copy_n(data + source * type.size, type.size, element);
    if (swap) std::reverse(element, element + type.size);
    type.convert(element, target + i * out_size);
    for (std::size_t d = rank; d-- > 0;) {  // the next index in C order, last axis fastest
      source += stride[d];
      if (++index[d] < header.shape[d]) break;
      source -= stride[d] * index[d];
      index[d] = 0;
    }
  }
}

void check_uint64_fits(const std::string& name, const Tensor& values) {
  const std::int64_t* p = values.data<std::int64_t>();
  NM_CHECK_AS(DataError, std::all_of(p, p + values.numel(), [](std::int64_t v) { return v >= 0; }), name,
              ": a uint64 value is above 2^63 - 1 and does not fit the i64 it is read into");
}

/// The header, its element type, and where the data begin. `file_size` may exceed the bytes at hand.
struct Located {
  Header header;
  const FileType* type;
  std::size_t data;
};

Located locate(const std::string& name, ByteView bytes, std::uint64_t file_size) {
  NM_CHECK_AS(DataError, bytes.size() >= 10 && std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) == 0,
              name, ": not a .npy file, expected it to begin with \\x93NUMPY");
  const int major = bytes[6];
  NM_CHECK_AS(DataError, major >= 1 && major <= 3, name, ": .npy version ", major,
              " is unknown, expected 1 to 3");
  const std::size_t start = major == 1 ? 10 : 12;
  NM_CHECK_AS(DataError, bytes.size() >= start, name, ": the header is truncated");
  const std::size_t length = major == 1 ? little_endian_16(&bytes[8]) : little_endian_32(&bytes[8]);
  NM_CHECK_AS(DataError, length <= kLargestHeader && length <= bytes.size() - start, name, ": header of ",
              length, " bytes does not fit the file, it is truncated or damaged");
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + start, length);
  Located result{HeaderParser(name, text).parse(), nullptr, start + length};
  result.type = &file_type_of(name, result.header.descr);
  std::uint64_t count = 0;
  const bool fits = checked_product(result.header.shape,
                                    std::numeric_limits<std::uint32_t>::max() * std::uint64_t{64}, count);
  const std::uint64_t data_bytes = file_size - result.data;
  NM_CHECK_AS(DataError, fits && count * result.type->size == data_bytes, name, ": holds ", data_bytes,
              " bytes of data, which do not fill the shape in its header; the file is truncated or damaged");
  return result;
}

}  // namespace

NpyHeader read_npy_header(const std::filesystem::path& path) {
  const std::string name = path.string();
  // Headers written in practice have 128 bytes; the longest the format allows here is read only when needed.
  Bytes head = read_file_head(path, 4096);
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(path, error);
  NM_CHECK_AS(DataError, !error && size >= head.size(), name, ": its size cannot be read");
  if (head.size() >= 12 && head.size() < size) {
    const std::size_t length = head[6] == 1 ? little_endian_16(&head[8]) : little_endian_32(&head[8]);
    if (length + 12 > head.size() && length <= kLargestHeader) head = read_file_head(path, length + 12);
  }
  const Located located = locate(name, head, size);
  return {Shape(std::vector<std::int64_t>(located.header.shape.begin(), located.header.shape.end())),
          located.type->name, located.header.fortran, located.data};
}

NpyArray parse_npy(const std::string& name, ByteView bytes) {
  const Located located = locate(name, bytes, bytes.size());
  const Header& header = located.header;
  const FileType& type = *located.type;
  const ByteView data = bytes.subspan(located.data);
  std::vector<std::int64_t> dims(header.shape.begin(), header.shape.end());
  NpyArray result{Tensor::empty(Shape(dims), type.dtype), type.name};
  convert_elements(header, type, header.descr[0] == '>', data.data(), result.values);
  if (type.descr == "u8") check_uint64_fits(name, result.values);
  return result;
}

NpyArray read_npy(const std::filesystem::path& path) {
  return parse_npy(path.string(), read_file_bytes(path));
}

Bytes npy_header(const Shape& shape, Dtype dtype) {
  const char* descr = nullptr;
  switch (dtype) {
    case Dtype::f32:
      descr = "<f4";
      break;
    case Dtype::f64:
      descr = "<f8";
      break;
    case Dtype::i64:
      descr = "<i8";
      break;
    case Dtype::i32:
      descr = "<i4";
      break;
    case Dtype::u8:
      descr = "|u1";
      break;
    case Dtype::bf16:
      fail<ShapeError>("[npy] bf16 has no NumPy type, convert to f32 first");
  }
  std::string header = std::string("{'descr': '") + descr + "', 'fortran_order': False, 'shape': (";
  for (const std::int64_t dim : shape.dims()) header += std::to_string(dim) + ", ";
  if (shape.rank() > 1)
    header.resize(header.size() - 2);  // (2, 3)
  else if (shape.rank() == 1)
    header.resize(header.size() - 1);  // (2,)
  header += "), }";
  while ((10 + header.size() + 1) % 64 != 0) header += ' ';  // data start on a multiple of 64, as NumPy does
  header += '\n';

  std::string start(kMagic);
  for (const std::size_t byte : {std::size_t{1}, std::size_t{0}, header.size() & 255, header.size() >> 8})
    start.push_back(static_cast<char>(byte));  // version 1.0, length of the header
  start += header;
  return {start.begin(), start.end()};
}

Bytes encode_npy(const Tensor& array) {
  Bytes bytes = npy_header(array.shape(), array.dtype());
  const Tensor host = array.to(Device{});
  const auto* data = reinterpret_cast<const std::uint8_t*>(host.raw());
  bytes.insert(bytes.end(), data, data + host.bytes());
  return bytes;
}

void write_npy(const std::filesystem::path& path, const Tensor& array) {
  const Bytes bytes = encode_npy(array);
  write_file_atomically(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace noisymix

// Archives whose bytes depend on names and contents alone.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "data/tar.h"
#include "engine/error.h"

namespace noisymix {
namespace {

constexpr std::size_t kBlock = 512, kShortName = 100;
constexpr std::uint64_t kRecord = 20 * kBlock;  // archives are filled up to a multiple of it

using Header = std::array<char, kBlock>;

Header header_of(const std::string& name, std::uint64_t size, char type) {
  Header header{};
  std::memcpy(header.data(), name.data(), std::min(name.size(), kShortName));
  const auto put = [&](std::size_t at, const char* format, auto value, std::size_t length) {
    char text[32];
    std::snprintf(text, sizeof text, format, value);
    std::memcpy(header.data() + at, text, length);
  };
  const auto octal = [&](std::size_t at, std::size_t digits, std::uint64_t value) {
    put(at, digits == 11 ? "%011llo" : "%07llo", static_cast<unsigned long long>(value), digits);
  };
  octal(100, 7, 0644);  // mode, owner, group, size, time
  octal(108, 7, 0);
  octal(116, 7, 0);
  octal(124, 11, size);
  octal(136, 11, 0);
  header[156] = type;
  std::memcpy(header.data() + 257,
              "ustar\0"
              "00",
              8);
  std::memset(header.data() + 148, ' ', 8);
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put(148, "%06o", sum, 7);  // six digits, a zero byte, and the blank that is there
  return header;
}

/// "LENGTH path=NAME\n", where the length counts its own digits.
std::string pax_path(const std::string& name) {
  const std::size_t rest = std::strlen(" path=\n") + name.size();
  std::size_t length = rest + 1;
  while (std::to_string(length).size() + rest != length) ++length;
  return std::to_string(length) + " path=" + name + "\n";
}

std::uint64_t padded(std::uint64_t size, std::uint64_t unit) {
  return (size + unit - 1) / unit * unit;
}

std::uint64_t entry_size(const std::string& name, std::uint64_t content) {
  const std::uint64_t own = kBlock + padded(content, kBlock);
  return name.size() <= kShortName ? own : own + kBlock + padded(pax_path(name).size(), kBlock);
}

}  // namespace

TarWriter::TarWriter(const std::filesystem::path& file) : out_(file) {}

void TarWriter::add(const std::string& name, ByteView content) {
  NM_CHECK_AS(DataError, !name.empty() && name.size() <= 4096, "[tar] a name of ", name.size(),
              " bytes, expected 1 to 4096");
  NM_CHECK_AS(DataError, content.size() < kLargestFile, "[tar] ", printable(name), ": ", content.size(),
              " bytes, expected less than ", kLargestFile);
  const auto put_header = [&](std::uint64_t size, char type) {
    const Header header = header_of(name, size, type);
    out_.write(header.data(), header.size());
    size_ += header.size();
  };
  if (name.size() > kShortName) {
    const std::string record = pax_path(name);
    put_header(record.size(), 'x');
    write_padded({reinterpret_cast<const std::uint8_t*>(record.data()), record.size()});
  }
  put_header(content.size(), '0');
  write_padded(content);
}

void TarWriter::write_padded(ByteView content) {
  constexpr char kZeros[kBlock] = {};
  out_.write(content.data(), content.size());
  const std::uint64_t full = padded(content.size(), kBlock);
  out_.write(kZeros, full - content.size());
  size_ += full;
}

void TarWriter::finish() {
  const std::vector<char> zeros(padded(size_ + 2 * kBlock, kRecord) - size_);
  out_.write(zeros.data(), zeros.size());
  size_ += zeros.size();
  out_.commit();
}

std::uint64_t TarWriter::size_with(const std::string& name, std::uint64_t content) const {
  return padded(size_ + entry_size(name, content) + 2 * kBlock, kRecord);
}

}  // namespace noisymix

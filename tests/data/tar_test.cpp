// Archives as written here and built by hand, and every kind of damage.
#include "data/tar.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <cstring>

#include "tests/data/expect_data_error.h"
#include "tests/scratch_folder.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

struct HeaderFields {
  std::string name;
  std::string size = "00000000000";  // 12 bytes at most
  char type = '0';
  std::string prefix{};
  bool signed_sum = false;
};

/// A header built from the format's description, independently of TarWriter.
Bytes header(const HeaderFields& fields) {
  Bytes block(512, 0);
  const auto put = [&](std::size_t at, const std::string& text) {
    std::memcpy(block.data() + at, text.data(), text.size());
  };
  put(0, fields.name.substr(0, 100));
  put(100, "0000644");
  put(124, fields.size);
  put(136, "00000000000");
  block[156] = static_cast<std::uint8_t>(fields.type);
  put(257, std::string("ustar\0"
                       "00",
                       8));
  put(345, fields.prefix);
  put(148, "        ");
  int sum = 0;
  for (const std::uint8_t byte : block) sum += fields.signed_sum ? static_cast<std::int8_t>(byte) : byte;
  char text[16];
  std::snprintf(text, sizeof text, "%06o", static_cast<unsigned>(sum));
  put(148, std::string(text) + std::string("\0 ", 2));
  return block;
}

std::string octal(std::size_t size) {
  char text[16];
  std::snprintf(text, sizeof text, "%011o", static_cast<unsigned>(size));
  return text;
}

void append(Bytes& archive, const Bytes& more) {
  archive.insert(archive.end(), more.begin(), more.end());
}

void append_data(Bytes& archive, const std::string& text) {
  archive.insert(archive.end(), text.begin(), text.end());
  archive.resize((archive.size() + 511) / 512 * 512, 0);
}

Bytes entry(const std::string& name, const std::string& content, char type = '0') {
  Bytes bytes = header({.name = name, .size = octal(content.size()), .type = type});
  append_data(bytes, content);
  return bytes;
}

Bytes archive_of(std::initializer_list<Bytes> parts) {
  Bytes archive;
  for (const Bytes& part : parts) append(archive, part);
  archive.resize(archive.size() + 1024, 0);
  return archive;
}

std::vector<TarEntry> list(const Bytes& archive) {
  return list_tar("a.tar", archive.size(), [&](std::uint64_t offset, std::span<std::uint8_t> target) {
    REQUIRE(offset + target.size() <= archive.size());
    std::memcpy(target.data(), archive.data() + offset, target.size());
  });
}

std::string text_at(const Bytes& archive, const TarEntry& entry) {
  return {archive.begin() + static_cast<std::ptrdiff_t>(entry.offset),
          archive.begin() + static_cast<std::ptrdiff_t>(entry.offset + entry.size)};
}

std::string pax(const std::string& key, const std::string& value) {
  const std::size_t rest = key.size() + value.size() + 3;  // blank, =, newline
  std::size_t length = rest + 1;
  while (std::to_string(length).size() + rest != length) ++length;
  return std::to_string(length) + " " + key + "=" + value + "\n";
}

}  // namespace

TEST_CASE("tar: what is written is found and read, the same bytes every time") {
  const ScratchFolder folder;
  const std::string long_name = "class/" + std::string(300, 'x') + ".jpg";
  const Bytes small{1, 2, 3}, block(512, 7), empty;
  for (const char* file : {"a.tar", "b.tar"}) {
    TarWriter writer(folder / file);
    const std::uint64_t expected = writer.size_with("class/small.png", small.size());
    CHECK(expected == 10240);
    writer.add("class/small.png", small);
    writer.add(long_name, block);
    writer.add("empty", empty);
    writer.finish();
    CHECK(std::filesystem::file_size(folder / file) == writer.size());
  }
  CHECK(read_file_bytes(folder / "a.tar") == read_file_bytes(folder / "b.tar"));
  const auto entries = list_tar(folder / "a.tar");
  REQUIRE(entries.size() == 3);
  CHECK(entries[0].name == "class/small.png");
  CHECK(entries[1].name == long_name);
  CHECK(read_tar_entry(folder / "a.tar", entries[0]) == small);
  CHECK(read_tar_entry(folder / "a.tar", entries[1]) == block);
  CHECK(read_tar_entry(folder / "a.tar", entries[2]).empty());
  expect_data_error("small.png", "more than the 2", [&] { read_tar_entry(folder / "a.tar", entries[0], 2); });
  std::filesystem::resize_file(folder / "a.tar", 600);
  expect_data_error("a.tar", "has become shorter", [&] { read_tar_entry(folder / "a.tar", entries[1]); });
}

TEST_CASE("tar: long names, prefixes, pax records, binary sizes; folders and links are passed over") {
  const std::string name(200, 'n');
  Bytes binary = header({.name = "binary", .size = std::string("\x80\0\0\0\0\0\0\0\0\0\0\x05", 12)});
  append_data(binary, "12345");
  Bytes prefixed = header({.name = "file", .size = octal(1), .prefix = "some/folder"});
  append_data(prefixed, "p");
  Bytes old =
      header({.name = std::string("\xC3\xBC", 2), .size = octal(1), .type = '\0', .signed_sum = true});
  append_data(old, "o");
  Bytes sized = entry("PaxHeaders/s", pax("size", "3") + pax("path", "by pax"), 'x');
  append(sized, header({.name = "ignored", .size = octal(0)}));
  append_data(sized, "abc");
  const Bytes archive = archive_of(
      {entry("folder/", "", '5'), header({.name = "link", .size = octal(99), .type = '2'}),
       header({.name = "hard", .size = octal(99), .type = '1'}), entry("g", pax("comment", "x"), 'g'),
       entry("././@LongLink", name + std::string(1, '\0'), 'L'), entry(name.substr(0, 100), "long"), sized,
       binary, prefixed, old, entry("old/folder/", "", '\0'), entry("last", "end")});
  const auto entries = list(archive);
  std::vector<std::pair<std::string, std::string>> found;
  for (const TarEntry& e : entries) found.emplace_back(e.name, text_at(archive, e));
  CHECK(found == std::vector<std::pair<std::string, std::string>>{{name, "long"},
                                                                  {"by pax", "abc"},
                                                                  {"binary", "12345"},
                                                                  {"some/folder/file", "p"},
                                                                  {"\xC3\xBC", "o"},
                                                                  {"last", "end"}});
}

TEST_CASE("tar: cut short at every length") {
  const Bytes whole = archive_of({entry("one", std::string(700, 'a')), entry("two", "bb")});
  CHECK(list(whole).size() == 2);
  // The second zero block of the end mark is the only thing that may be missing.
  for (std::size_t size = 0; size < whole.size() - 512; size += 37) {
    CAPTURE(size);
    const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_THROWS_AS(list(part), DataError);
  }
  const auto cut = [&](std::size_t size) {
    list(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
  };
  expect_data_error("a.tar: cut short: entry one ends at byte 1212, the file at 1000; copy it again", "",
                    [&] { cut(1000); });
  expect_data_error("cut short: after entry one", "byte 1536", [&] { cut(1536); });
  expect_data_error("cut short: after entry two", "end mark", [&] { cut(2560); });
}

TEST_CASE("tar: damage and tricks") {
  Bytes wrong = archive_of({entry("one", "1")});
  wrong[0] = 'x';
  expect_data_error("a.tar", "wrong checksum", [&] { list(wrong); });
  expect_data_error("header at byte 512", "wrong checksum", [] {
    list(archive_of({entry("f", ""), Bytes(512, 'z')}));
  });
  const auto with_size = [](const std::string& size) {
    return archive_of({header({.name = "huge", .size = size})});
  };
  expect_data_error("entry huge", "cut short", [&] { list(with_size("77777777777")); });
  expect_data_error("a.tar", "size that is no number", [&] { list(with_size("00000000009")); });
  expect_data_error("a.tar", "size that is no number", [&] { list(with_size("-1")); });
  expect_data_error("a.tar", "size that is no number", [&] { list(with_size(std::string(12, '\xFF'))); });
  expect_data_error("a.tar", "size that is no number",
                    [&] { list(with_size(std::string("\x80\0\0\0\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 12))); });
  expect_data_error("entry a?b", "control characters", [] { list(archive_of({entry("a\nb", "")})); });
  expect_data_error("a.tar", "a name of 0 bytes", [] { list(archive_of({entry("", "")})); });
  expect_data_error("entry s", "sparse", [] { list(archive_of({entry("s", "", 'S')})); });
  const Bytes one = archive_of({entry("one", "1")});
  expect_data_error("a.tar", "more after its end mark", [&] {
    Bytes joined = one;
    append(joined, one);
    list(joined);
  });
  expect_data_error("a.tar", "gunzip", [] {
    Bytes zipped(600, 0);
    zipped[0] = 0x1F;
    zipped[1] = 0x8B;
    list(zipped);
  });
  for (const std::string& record :
       {std::string("99 path=x\n"), std::string("9999999999999999999999 path=x\n"), std::string("0 path=x\n"),
        std::string("2 \n"), std::string("x"), std::string("8 path=x"), std::string("10 size=-1\n"),
        std::string("7 abcd\n"), pax("size", "99999999999999999999")}) {
    CAPTURE(record);
    expect_data_error("a.tar", "pax records", [&] {
      list(archive_of({entry("p", record, 'x'), entry("f", "")}));
    });
  }
  expect_data_error("a.tar", "sparse", [] {
    list(archive_of({entry("p", pax("GNU.sparse.major", "1"), 'x'), entry("f", "")}));
  });
  expect_data_error("a.tar", "cut short", [] {
    list(archive_of({entry("p", pax("size", "4611686018427387903"), 'x'), entry("f", "")}));
  });
  const std::string endless(5000, 'n');
  expect_data_error("a.tar", "more than the 4097", [&] { list(archive_of({entry("L", endless, 'L')})); });
  expect_data_error("a.tar", "a name of 5000 bytes", [&] {
    list(archive_of({entry("p", pax("path", endless), 'x'), entry("f", "")}));
  });
}

TEST_CASE("tar: names that cannot be written, files that cannot be read") {
  const ScratchFolder folder;
  TarWriter writer(folder / "a.tar");
  expect_data_error("[tar]", "name of 0 bytes", [&] { writer.add("", {}); });
  expect_data_error("nowhere.tar", "cannot be opened", [&] { list_tar(folder / "nowhere.tar"); });
  expect_data_error(folder.path().string(), "not a regular file", [&] { list_tar(folder.path()); });
}

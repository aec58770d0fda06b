#include "engine/io/safetensors.h"

#include <fstream>

#include "tests/check_op.h"
#include "tests/scratch_folder.h"
#include "tests/golden.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

/// A file in memory: header length, header, data bytes.
std::string file_of(const std::string& header, std::size_t data_bytes = 0) {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + std::string(data_bytes, '\1');
}

Safetensors parse(const std::string& bytes) {
  return parse_safetensors("f", reinterpret_cast<const std::byte*>(bytes.data()), bytes.size());
}

std::string message_of(const std::string& bytes) {
  try {
    parse(bytes);
  } catch (const DataError& error) {
    return error.what();
  }
  return "accepted";
}

/// Header with one tensor "x" of the given fields.
std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"x":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
}

}  // namespace

TEST_CASE("the sample file reads as its manifest says") {
  const Safetensors file = read_safetensors(fixture_path("io/sample.safetensors"));
  const auto manifest = read_json(fixture_path("io/manifest.json"));
  const std::map<std::string, Dtype> widened{{"float32", Dtype::f32},
                                             {"int64", Dtype::i64},
                                             {"float16", Dtype::f32},
                                             {"float64", Dtype::f64},
                                             {"uint8", Dtype::u8}};
  for (const auto& entry : manifest.at("files")) {
    if (entry.at("file") != "sample.safetensors") continue;
    CHECK(file.tensors.size() == entry.at("tensors").size());
    for (const auto& [name, expected] : entry.at("tensors").items()) {
      const Tensor& x = file.at(name);
      CHECK(x.shape().dims() == expected.at("shape").get<std::vector<std::int64_t>>());
      CHECK(x.dtype() == widened.at(expected.at("dtype")));
      double sum = 0;
      for (const double value : values(x)) sum += value;
      CHECK(sum == doctest::Approx(expected.at("sum").get<double>()).epsilon(1e-12));
    }
  }
  CHECK(file.tensors.front().first == "b");  // the order of the data
  CHECK(file.metadata.at("note") == "unicode \u00e9\u4e2d and \"quotes\"");
}

TEST_CASE("bf16 is kept as it is") {
  const Safetensors file = read_safetensors(fixture_path("io/bf16.safetensors"));
  const Tensor& x = file.at("bf");
  CHECK(x.dtype() == Dtype::bf16);
  CHECK(values(x) == std::vector<double>{1, -2.5, 0.099609375});
}

TEST_CASE("every dtype, empty tensors, scalars and metadata survive a round trip") {
  const ScratchFolder folder;
  Safetensors content;
  content.metadata = {{"format", "pt"}, {"text", "a \"b\" \\ \n \u00e9"}};
  const Tensor drawn = random_normal({3, 5}, Key(1));
  for (const Dtype dtype : {Dtype::u8, Dtype::f32, Dtype::bf16, Dtype::f64, Dtype::i64, Dtype::i32})
    content.tensors.emplace_back(name_of(dtype), (dtype == Dtype::u8 ? abs(drawn) : drawn).to(dtype));
  content.tensors.emplace_back("empty", Tensor::empty({0, 4}));
  content.tensors.emplace_back("scalar", Tensor::scalar(7, Dtype::f64));
  content.tensors.emplace_back("", Tensor::ones({1}));
  write_safetensors(folder / "a", content);
  const Safetensors back = read_safetensors(folder / "a");
  CHECK(back.metadata == content.metadata);
  REQUIRE(back.tensors.size() == content.tensors.size());
  for (const auto& [name, tensor] : content.tensors) CHECK(same_bits(back.at(name), tensor));
  CHECK(folder.names() == std::vector<std::string>{"a"});
}

TEST_CASE("tensors are written by falling element size, data starting at a multiple of 8") {
  const ScratchFolder folder;
  Safetensors content;
  content.tensors = {{"bytes", Tensor::zeros({3}, Dtype::u8)},
                     {"one", Tensor::ones({1})},
                     {"wide", Tensor::ones({1}, Dtype::f64)},
                     {"two", Tensor::ones({1})}};
  write_safetensors(folder / "a", content);
  std::vector<std::string> names;
  for (const auto& [name, tensor] : read_safetensors(folder / "a").tensors) names.push_back(name);
  CHECK(names == std::vector<std::string>{"wide", "one", "two", "bytes"});
  CHECK((std::filesystem::file_size(folder / "a") - 8 - 4 - 4 - 3) % 8 == 0);
}

TEST_CASE("an empty collection is a valid file") {
  const ScratchFolder folder;
  write_safetensors(folder / "a", {});
  CHECK(read_safetensors(folder / "a").tensors.empty());
}

TEST_CASE("narrow types are widened exactly") {
  const auto read_one = [](const std::string& type, const std::string& data, const std::string& shape) {
    const std::string header = one('"' + type + '"', shape, "[0," + std::to_string(data.size()) + "]");
    return parse(file_of(header) + data).at("x");
  };
  // 1, -2, smallest subnormal, largest, infinity, NaN
  const Tensor half =
      read_one("F16", std::string("\x00\x3C\x00\xC0\x01\x00\xFF\x7B\x00\x7C\x01\x7E", 12), "[6]");
  const auto h = values(half);
  CHECK(half.dtype() == Dtype::f32);
  CHECK(h[0] == 1);
  CHECK(h[1] == -2);
  CHECK(h[2] == std::ldexp(1.0, -24));
  CHECK(h[3] == 65504);
  CHECK(h[4] == INFINITY);
  CHECK(std::isnan(h[5]));
  CHECK(read_one("I8", "\xFF\x7F", "[2]").to_vector<std::int32_t>() == std::vector<std::int32_t>{-1, 127});
  CHECK(read_one("I16", "\xFE\xFF", "[1]").to_vector<std::int32_t>() == std::vector<std::int32_t>{-2});
  CHECK(read_one("U16", "\xFE\xFF", "[1]").to_vector<std::int32_t>() == std::vector<std::int32_t>{65534});
  CHECK(read_one("U32", "\xFF\xFF\xFF\xFF", "[]").to_vector<std::int64_t>() ==
        std::vector<std::int64_t>{4294967295});
  CHECK(read_one("BOOL", std::string("\x01\x00", 2), "[2]").to_vector<std::uint8_t>() ==
        std::vector<std::uint8_t>{1, 0});
}

TEST_CASE("hostile lengths") {
  CHECK(message_of("") == "f: 0 bytes are too few for a safetensors file");
  CHECK(message_of("1234567") == "f: 7 bytes are too few for a safetensors file");
  CHECK(message_of(std::string(8, '\xFF')) ==
        "f: header length 18446744073709551615 exceeds the limit of 100000000; not a safetensors file?");
  CHECK(message_of(std::string("\x03\0\0\0\0\0\0\0{}", 10)) ==
        "f: header length 3 exceeds the file of 10 bytes; truncated?");
  CHECK(message_of(std::string(8, '\0')) == "f: header must start with '{'");
}

TEST_CASE("hostile headers") {
  const std::string label = "f: tensor 'x' ", ok = one("\"U8\"", "[2]", "[0,2]");
  REQUIRE(message_of(file_of(ok, 2)) == "accepted");
  REQUIRE(message_of(file_of(ok + "   ", 2)) == "accepted");
  std::string more_ones;
  for (int i = 0; i < 70; ++i) more_ones += ",1";
  struct Row {
    std::string header;
    std::size_t data_bytes;
    std::string message;
  };
  const std::vector<Row> table{
      {" {}", 0, "f: header must start with '{'"},
      {"[]", 0, "f: header must start with '{'"},
      {"\xEF\xBB\xBF{}", 0, "f: header must start with '{'"},
      {"{", 0, "f: header is not valid UTF-8 JSON, error at byte 2 of it"},
      {"{} x", 0, "f: header is not valid UTF-8 JSON, error at byte 4 of it"},
      {"{\"\xFF\":1}", 0, "f: header is not valid UTF-8 JSON, error at byte 3 of it"},
      {one("\"U8\"", "[NaN]", "[0,2]"), 2, "f: header is not valid UTF-8 JSON, error at byte 29 of it"},
      {one("\"U8\"", "[1e999]", "[0,2]"), 2, "f: header has a number too large for any type"},
      {one("\"U8\"", "[[[[1]]]]", "[0,2]"), 2, "f: header is nested too deeply"},
      {R"({"x":1})", 0, label + "must be an object with dtype, shape and data_offsets"},
      {R"({"x":{"shape":[],"data_offsets":[0,1]}})", 1, label + "has no dtype"},
      {R"({"x":{"dtype":"U8","data_offsets":[0,1]}})", 1, label + "has no shape"},
      {R"({"x":{"dtype":"U8","shape":[]}})", 1, label + "has no data_offsets"},
      {one("7", "[2]", "[0,2]"), 2, label + "has a dtype that is not a string"},
      {one("\"F8\\nx\"", "[2]", "[0,2]"), 2,
       label + "has dtype 'F8?x', supported are F32, BF16, F64, I64, I32, U8, BOOL, F16, I8, I16, U16, U32"},
      {one("\"U8\"", "2", "[0,2]"), 2, label + "has a shape that is not an array"},
      {one("\"U8\"", "[-2]", "[0,2]"), 2, label + "needs non-negative integers in shape, has -2"},
      {one("\"U8\"", "[2.0]", "[0,2]"), 2, label + "needs non-negative integers in shape, has 2.0"},
      {one("\"U8\"", "[\"2\"]", "[0,2]"), 2, label + "needs non-negative integers in shape, has string"},
      {one("\"U8\"", "[null]", "[0,2]"), 2, label + "needs non-negative integers in shape, has null"},
      {one("\"U8\"", "[18446744073709551615]", "[0,2]"), 2, label + "has a shape with too many elements"},
      {one("\"U8\"", "[4294967296,4294967296]", "[0,2]"), 2, label + "has a shape with too many elements"},
      {one("\"U8\"", "[0,4294967296,4294967296]", "[0,0]"), 0, label + "has a shape with too many elements"},
      {one("\"F32\"", "[4611686018427387904]", "[0,2]"), 2, label + "has a shape with too many elements"},
      {one("\"U8\"", "[1" + more_ones + "]", "[0,1]"), 1, label + "has 71 axes, expected at most 64"},
      {one("\"U8\"", "[2]", "[0]"), 2, label + "needs two data_offsets, begin and end"},
      {one("\"U8\"", "[2]", "{}"), 2, label + "needs two data_offsets, begin and end"},
      {one("\"U8\"", "[2]", "[0,-2]"), 2, label + "needs non-negative integers in data_offsets, has -2"},
      {one("\"U8\"", "[2]", "[2,0]"), 2,
       label + "has data_offsets 2..0, expected begin <= end <= 2 bytes of data"},
      {one("\"U8\"", "[2]", "[0,9]"), 2,
       label + "has data_offsets 0..9, expected begin <= end <= 2 bytes of data"},
      {one("\"U8\"", "[1000000000000]", "[0,2]"), 2,
       label + "spans 2 bytes, but U8 [1000000000000] needs 1000000000000"},
      {one("\"F32\"", "[2]", "[0,2]"), 2, label + "spans 2 bytes, but F32 [2] needs 8"},
      {one("\"U8\"", "[1]", "[1,2]"), 2, "f: tensor 'x' starts at byte 1 of the data, expected 0 (hole)"},
      {one("\"U8\"", "[1]", "[0,1]"), 2, "f: tensors end at byte 1 of 2 bytes of data"},
      {"{}", 2, "f: tensors end at byte 0 of 2 bytes of data"},
      {R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
       3, "f: tensor 'b' starts at byte 1 of the data, expected 2 (overlap)"},
      {R"({"x":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"x":{"dtype":"U8","shape":[],"data_offsets":[1,2]}})",
       2, "f: header has the key 'x' twice"},
      {R"({"x":{"dtype":"U8","dtype":"I8","shape":[],"data_offsets":[0,1]}})", 1,
       "f: header has the key 'dtype' twice"},
      {R"({"__metadata__":[]})", 0, "f: __metadata__ must be an object of strings"},
      {R"({"__metadata__":{"k":1}})", 0, "f: __metadata__ entry 'k' must be a string"},
      {"{\"" + std::string(200, 'n') + "\":1}", 0,
       "f: tensor '" + std::string(80, 'n') + "...' must be an object with dtype, shape and data_offsets"},
  };
  for (const Row& row : table) {
    INFO("header " << row.header);
    CHECK(message_of(file_of(row.header, row.data_bytes)) == row.message);
  }
}

TEST_CASE("one-line errors for names, files and content that cannot be written") {
  const ScratchFolder folder;
  const std::string path = (folder / "a").string();
  CHECK_THROWS_WITH_AS(read_safetensors(path),
                       (path + ": cannot read this file: No such file or directory").c_str(), DataError);
  CHECK_THROWS_WITH_AS(read_safetensors(folder / ""),
                       (path.substr(0, path.size() - 1) + ": cannot read this file: Is a directory").c_str(),
                       DataError);
  Safetensors content;
  content.tensors = {{"x", Tensor::ones({1})}, {"y", Tensor::ones({1})}};
  CHECK_THROWS_WITH_AS(content.at("z"), "[safetensors] no tensor 'z', present: x, y", DataError);
  CHECK(content.find("z") == nullptr);
  content.tensors[1].first = "x";
  CHECK_THROWS_WITH_AS(write_safetensors(path, content), (path + ": tensor name 'x' is used twice").c_str(),
                       DataError);
  content.tensors[1].first = "__metadata__";
  CHECK_THROWS_WITH_AS(write_safetensors(path, content),
                       (path + ": tensor name '__metadata__' is reserved").c_str(), DataError);
  content.tensors[1].first = "\xFF";
  CHECK_THROWS_WITH_AS(write_safetensors(path, content),
                       (path + ": names and metadata must be valid UTF-8").c_str(), DataError);
  content.tensors[1] = {"y", Tensor()};
  CHECK_THROWS_WITH_AS(write_safetensors(path, content), (path + ": tensor 'y' is undefined").c_str(),
                       DataError);
  CHECK(folder.names().empty());
}

TEST_CASE("a truncated file is an error at every length") {
  const ScratchFolder folder;
  std::ifstream in(fixture_path("io/sample.safetensors"), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK(message_of(bytes.substr(0, size)) != "accepted");
  CHECK(message_of(bytes) == "accepted");
}

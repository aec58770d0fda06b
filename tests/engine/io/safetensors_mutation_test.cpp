// The short, repeatable relative of tests/fuzz: mutated files parse or give a DataError, and nothing else
// happens.
#include <doctest/doctest.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "engine/io/safetensors.h"
#include "engine/key.h"
#include "tests/golden.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

constexpr std::string_view kTokens[] = {"0",
                                        "-1",
                                        "1e9",
                                        "NaN",
                                        "null",
                                        "[",
                                        "]",
                                        "{",
                                        "}",
                                        ",",
                                        ":",
                                        "\"",
                                        "\\u",
                                        "U8",
                                        "F64",
                                        "\xFF",
                                        "[[[[",
                                        "1.5",
                                        "99999999999999999999",
                                        "\"shape\""};

/// Changes one place of the text: another byte, a token put in, or a piece left out or doubled.
void mutate(std::string& text, Draws& draws) {
  const auto below = [&](std::size_t count) {
    return static_cast<std::size_t>(draws.below(static_cast<std::int64_t>(count)));
  };
  const std::size_t place = below(text.size() + 1), length = std::min(below(24), text.size() - place);
  switch (below(4)) {
    case 0:
      if (place < text.size()) text[place] = static_cast<char>(below(256));
      break;
    case 1:
      text.insert(place, kTokens[below(std::size(kTokens))]);
      break;
    case 2:
      text.erase(place, length);
      break;
    default:
      text.insert(place, text.substr(place, length));
  }
}

/// Whether the bytes were accepted.
bool parses(const std::string& bytes) {
  try {
    parse_safetensors("mutated", reinterpret_cast<const std::byte*>(bytes.data()), bytes.size());
    return true;
  } catch (const DataError& error) {
    const std::string message = error.what();
    CHECK(message.find("mutated: ") == 0);
    CHECK(message.find('\n') == std::string::npos);
    CHECK(message.size() < 1000);
    return false;
  }
}

}  // namespace

TEST_CASE("mutated files are accepted or rejected with one line") {
  std::ifstream in(fixture_path("io/sample.safetensors"), std::ios::binary);
  const std::string sample{std::istreambuf_iterator<char>(in), {}};
  std::uint64_t length = 0;
  std::memcpy(&length, sample.data(), 8);
  const std::string header = sample.substr(8, length), data = sample.substr(8 + length);
  int accepted = 0;
  for (int round = 0; round < 4000; ++round) {
    Draws draws(Key(2024).child(round));
    std::string text = header, bytes;
    for (std::int64_t k = draws.below(3); k >= 0; --k) mutate(text, draws);
    if (round % 4 == 0) {  // anything anywhere, the length included
      bytes = sample;
      for (std::int64_t k = draws.below(3); k >= 0; --k) mutate(bytes, draws);
    } else {  // a length that fits, so that the header itself is read
      const std::uint64_t size = text.size();
      bytes.assign(reinterpret_cast<const char*>(&size), 8);
      bytes += text + data;
    }
    accepted += parses(bytes);
  }
  CHECK(accepted > 0);
  CHECK(accepted < 2000);
}

// Thousands of damaged copies of valid files: every decoder answers with a value or a DataError, nothing
// else. The same on every run; the endless version is tests/fuzz/.
#include <doctest/doctest.h>

#include <cstring>
#include <functional>

#include "data/gzip.h"
#include "data/idx.h"
#include "data/image_codec.h"
#include "data/npz.h"
#include "data/tar.h"
#include "engine/error.h"
#include "engine/key.h"
#include "tests/golden.h"
#include "tests/scratch_folder.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

/// Flips bits, overwrites with telling values, cuts, repeats or drops pieces.
Bytes mutate(const Bytes& original, Draws& draws) {
  Bytes bytes = original;
  const std::uint8_t telling[] = {0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF};
  // Half of the damage goes to the first bytes, where headers are.
  const auto place = [&] {
    const auto size = static_cast<std::int64_t>(bytes.size());
    return static_cast<std::ptrdiff_t>(
        draws.below(draws.uniform() < 0.5 ? std::min<std::int64_t>(size, 128) : size));
  };
  for (std::int64_t edits = 1 + draws.below(4); edits > 0 && !bytes.empty(); --edits) {
    const std::ptrdiff_t at = place();
    switch (draws.below(6)) {
      case 0:
        bytes[static_cast<std::size_t>(at)] ^= static_cast<std::uint8_t>(1 << draws.below(8));
        break;
      case 1:
        bytes[static_cast<std::size_t>(at)] = telling[draws.below(6)];
        break;
      case 2:
        bytes[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(draws.below(256));
        break;
      case 3:
        bytes.resize(static_cast<std::size_t>(at));
        break;
      case 4:
        bytes.erase(bytes.begin() + at, bytes.begin() + std::min<std::ptrdiff_t>(at + 8, std::ssize(bytes)));
        break;
      default: {
        const Bytes piece(bytes.begin() + at,
                          bytes.begin() + std::min<std::ptrdiff_t>(at + 16, std::ssize(bytes)));
        bytes.insert(bytes.begin() + place(), piece.begin(), piece.end());
      }
    }
  }
  return bytes;
}

/// Counts what became of `rounds` damaged copies of each file.
void attack(const std::string& what, std::initializer_list<std::string> files, int rounds,
            const std::function<void(const Bytes&)>& decode) {
  int refused = 0, accepted = 0;
  for (const std::string& file : files) {
    CAPTURE(file);
    const Bytes original = read_file_bytes(fixture_path("io/" + file));
    CHECK_NOTHROW(decode(original));
    Draws draws(Key(0).child("mutation").child(what).child(file));
    for (int round = 0; round < rounds; ++round) {
      CAPTURE(round);
      const Bytes damaged = mutate(original, draws);
      try {
        decode(damaged);
        ++accepted;
      } catch (const DataError& error) {
        ++refused;
        CHECK(std::string(error.what()).find('\n') == std::string::npos);
      } catch (const std::exception& error) {
        FAIL_CHECK("threw something else: " << error.what());
      }
    }
  }
  MESSAGE(what << ": " << refused << " refused, " << accepted << " accepted");
  CHECK(refused > accepted / 10);
}

}  // namespace

TEST_CASE("mutation: PNG") {
  attack("png",
         {"png/palette_trns.png", "png/gray16.png", "png/interlaced_gray.png", "png/multi_idat.png",
          "png/one_pixel.png"},
         600, [](const Bytes& b) { decode_image("damaged.png", b); });
}

TEST_CASE("mutation: JPEG") {
  attack("jpeg",
         {"jpeg/baseline_420.jpg", "jpeg/progressive.jpg", "jpeg/cmyk.jpg", "jpeg/restart.jpg",
          "jpeg/tiny_1x1.jpg"},
         600, [](const Bytes& b) { decode_image("damaged.jpg", b); });
}

TEST_CASE("mutation: npy") {
  attack("npy",
         {"npy/fortran.npy", "npy/bigendian.npy", "npy/version2.npy", "npy/uint64.npy", "npy/float16.npy"},
         1000, [](const Bytes& b) { parse_npy("damaged.npy", b); });
}

TEST_CASE("mutation: npz") {
  attack("npz", {"bundle_stored.npz", "bundle_deflated.npz"}, 1500,
         [](const Bytes& b) { parse_npz("damaged.npz", b); });
}

TEST_CASE("mutation: IDX and gzip") {
  attack("idx", {"idx_float32", "mnist-labels-idx1-ubyte"}, 1000,
         [](const Bytes& b) { parse_idx("damaged.idx", b); });
  attack("gzip", {"mnist-labels-idx1-ubyte.gz", "mnist-images-idx3-ubyte.gz"}, 1000,
         [](const Bytes& b) { gunzip("damaged.gz", b, 1 << 20); });
}

TEST_CASE("mutation: tar") {
  const ScratchFolder folder;
  TarWriter writer(folder / "a.tar");
  for (int i = 0; i < 3; ++i) {
    writer.add("class/" + std::to_string(i) + ".jpg", Bytes(static_cast<std::size_t>(400 * i), 7));
    writer.add("class/" + std::string(120, 'n') + std::to_string(i), Bytes(30, 9));
  }
  writer.finish();
  const Bytes original = read_file_bytes(folder / "a.tar");
  Draws draws(Key(0).child("mutation").child("tar"));
  int refused = 0, accepted = 0;
  for (int round = 0; round < 4000; ++round) {
    CAPTURE(round);
    const Bytes damaged = mutate(original, draws);
    const auto read = [&](std::uint64_t offset, std::span<std::uint8_t> target) {
      REQUIRE(offset <= damaged.size());
      REQUIRE(target.size() <= damaged.size() - offset);
      std::memcpy(target.data(), damaged.data() + offset, target.size());
    };
    try {
      for (const TarEntry& entry : list_tar("damaged.tar", damaged.size(), read)) {
        CHECK(entry.offset <= damaged.size());
        CHECK(entry.size <= damaged.size() - entry.offset);
      }
      ++accepted;
    } catch (const DataError& error) {
      ++refused;
      CHECK(std::string(error.what()).find('\n') == std::string::npos);
    }
  }
  MESSAGE("tar: " << refused << " refused, " << accepted << " accepted");
  CHECK(refused > accepted / 10);
}

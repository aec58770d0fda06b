// Feeds arbitrary bytes to the data readers: each must give a value or a DataError. One program for all; the
// first byte of the input chooses the reader, so that the corpus can be shared.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>

#include "data/gzip.h"
#include "data/idx.h"
#include "data/image_codec.h"
#include "data/npz.h"
#include "data/tar.h"
#include "engine/error.h"

namespace {

/// Every entry of an archive must lie inside it, and nothing outside it may be asked for.
void list_archive(noisymix::ByteView bytes) {
  const auto read = [&](std::uint64_t offset, std::span<std::uint8_t> target) {
    if (offset > bytes.size() || target.size() > bytes.size() - offset) std::abort();
    std::memcpy(target.data(), bytes.data() + offset, target.size());
  };
  for (const noisymix::TarEntry& entry : noisymix::list_tar("input", bytes.size(), read))
    if (entry.offset > bytes.size() || entry.size > bytes.size() - entry.offset) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace noisymix;
  if (size == 0) return 0;
  const ByteView bytes(data + 1, size - 1);
  try {
    switch (data[0] % 7) {
      case 0:
        decode_png("input", bytes);
        break;
      case 1:
        decode_jpeg("input", bytes);
        break;
      case 2:
        parse_npy("input", bytes);
        break;
      case 3:
        parse_npz("input", bytes);
        break;
      case 4:
        parse_idx("input", bytes);
        break;
      case 5:
        list_archive(bytes);
        break;
      default:
        gunzip("input", bytes, 1 << 24);
        break;
    }
  } catch (const DataError&) {
  }
  return 0;
}

// Feeds arbitrary bytes to the data readers: each must give a value or a DataError. One program for all; the
// first byte of the input chooses the reader, so that the corpus can be shared.
#include <cstddef>
#include <cstdint>

#include "data/gzip.h"
#include "data/idx.h"
#include "data/image_codec.h"
#include "data/npz.h"
#include "engine/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace noisymix;
  if (size == 0) return 0;
  const ByteView bytes(data + 1, size - 1);
  try {
    switch (data[0] % 6) {
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
      default:
        gunzip("input", bytes, 1 << 24);
        break;
    }
  } catch (const DataError&) {
  }
  return 0;
}

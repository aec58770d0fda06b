#include "augment/filters/jpeg_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <initializer_list>

#include "augment/filters/jpeg_blocks.h"
#include "augment/filters/jpeg_planes.h"
#include "augment/filters/jpeg_tables.h"
#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {
namespace {

using File = std::vector<std::uint8_t>;

/// Coefficients of one plane, block by block, each in the order of a file.
NM_VECTORISED(transform_plane,
              (const JpegPlane& plane, const JpegQuantiser& quantiser,
               std::int16_t* NM_RESTRICT coefficients),
              (plane, quantiser, coefficients)) {
  alignas(64) std::int32_t a[64], b[64];
  for (int v = 0; v < plane.blocks_high; ++v)
    for (int u = 0; u < plane.blocks_wide; ++u, coefficients += 64) {
      jpeg::forward_block(plane.samples + 8 * (v * plane.stride + u), plane.stride, b, a);
      for (int i = 0; i < 64; ++i) b[i] = jpeg::quantised(a[i], quantiser, i);
      for (int i = 0; i < 64; ++i)
        coefficients[i] = static_cast<std::int16_t>(b[kJpegZigzag[static_cast<std::size_t>(i)]]);
    }
}

/// Code and length of every symbol that a table has.
struct Codes {
  std::array<std::uint16_t, 256> code{};
  std::array<std::uint8_t, 256> length{};
};

/// Codes are counted up within a length and doubled from length to length.
Codes make_codes(const JpegHuffman& table) {
  Codes codes;
  int code = 0, next = 0;
  for (int length = 1; length <= 16; ++length, code *= 2)
    for (int i = 0; i < table.counts[static_cast<std::size_t>(length - 1)]; ++i, ++code, ++next) {
      const std::uint8_t symbol = table.symbols[static_cast<std::size_t>(next)];
      codes.code[symbol] = static_cast<std::uint16_t>(code);
      codes.length[symbol] = static_cast<std::uint8_t>(length);
    }
  return codes;
}

/// Bits, highest first. A byte of ones is followed by a zero byte, so that it is no marker.
class BitWriter {
 public:
  explicit BitWriter(File& file) : file_(file) {}
  void put(unsigned bits, int count) {
    waiting_ = waiting_ << count | bits;
    held_ += count;
    while (held_ >= 8) {
      held_ -= 8;
      const auto byte = static_cast<std::uint8_t>(waiting_ >> held_);
      file_.push_back(byte);
      if (byte == 0xff) file_.push_back(0);
    }
  }
  /// Ones up to a whole byte.
  void finish() {
    if (held_ > 0) put((1u << (8 - held_)) - 1, 8 - held_);
  }

 private:
  File& file_;
  std::uint64_t waiting_ = 0;
  int held_ = 0;
};

/// Writes the blocks of one plane.
struct BlockWriter {
  Codes dc, ac;
  int last_dc = 0;

  /// The value's length in bits, as a part of a symbol, is followed by so many bits of it; negative values
  /// are one less.
  static int length_of(int value) { return std::bit_width(static_cast<unsigned>(std::abs(value))); }
  static unsigned bits_of(int value, int length) {
    return static_cast<unsigned>(value < 0 ? value - 1 : value) & ((1u << length) - 1);
  }

  void write_dc(int value, BitWriter& bits) {
    const int change = value - last_dc, length = length_of(change);
    last_dc = value;
    const auto symbol = static_cast<std::size_t>(length);
    bits.put(dc.code[symbol], dc.length[symbol]);
    bits.put(bits_of(change, length), length);
  }
  void write_zeros(BitWriter& bits) const { bits.put(ac.code[0], ac.length[0]); }

  void write(const std::int16_t* block, BitWriter& bits) {
    write_dc(block[0], bits);
    int run = 0;
    for (int i = 1; i < 64; ++i) {
      if (block[i] == 0) {
        ++run;
        continue;
      }
      for (; run > 15; run -= 16) bits.put(ac.code[0xf0], ac.length[0xf0]);
      const int length = length_of(block[i]);
      const auto symbol = static_cast<std::size_t>(16 * run + length);
      bits.put(ac.code[symbol], ac.length[symbol]);
      bits.put(bits_of(block[i], length), length);
      run = 0;
    }
    if (run > 0) write_zeros(bits);
  }
};

void append(File& file, std::initializer_list<int> bytes) {
  for (int byte : bytes) file.push_back(static_cast<std::uint8_t>(byte));
}

void append_quantisation(File& file, int plane, int quality) {
  append(file, {0xff, 0xdb, 0, 67, plane});
  const auto steps = jpeg_steps(plane, quality);
  for (std::uint8_t i : kJpegZigzag) file.push_back(steps[i]);
}

void append_huffman(File& file, int number, const JpegHuffman& table) {
  append(file, {0xff, 0xc4, 0, static_cast<int>(19 + table.symbols.size()), number});
  file.insert(file.end(), table.counts.begin(), table.counts.end());
  file.insert(file.end(), table.symbols.begin(), table.symbols.end());
}

/// Everything before the scan's bits. Planes of colour share the second set of tables.
void append_headers(File& file, int height, int width, int planes, int quality) {
  append(file, {0xff, 0xd8});
  append(file, {0xff, 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0});
  const int tables = planes == 1 ? 1 : 2;
  for (int t = 0; t < tables; ++t) append_quantisation(file, t, quality);
  append(file,
         {0xff, 0xc0, 0, 8 + 3 * planes, 8, height >> 8, height & 255, width >> 8, width & 255, planes});
  for (int c = 0; c < planes; ++c) append(file, {c + 1, planes == 3 && c == 0 ? 0x22 : 0x11, c == 0 ? 0 : 1});
  for (int t = 0; t < tables; ++t) {
    append_huffman(file, t, jpeg_dc_codes(t));
    append_huffman(file, 16 + t, jpeg_ac_codes(t));
  }
  append(file, {0xff, 0xda, 0, 6 + 2 * planes, planes});
  for (int c = 0; c < planes; ++c) append(file, {c + 1, c == 0 ? 0 : 0x11});
  append(file, {0, 63, 0});
}

/// The plane's `side` x `side` blocks of one unit of 16 x 16 pixels. Blocks beyond the plane have the DC
/// value of the block before and nothing else.
void write_unit(const JpegPlane& plane, const std::int16_t* coefficients, int unit_y, int unit_x, int side,
                BlockWriter& writer, BitWriter& bits) {
  for (int v = unit_y * side; v < (unit_y + 1) * side; ++v)
    for (int u = unit_x * side; u < (unit_x + 1) * side; ++u) {
      if (v < plane.blocks_high && u < plane.blocks_wide) {
        const auto block = static_cast<std::size_t>(v) * static_cast<std::size_t>(plane.blocks_wide) +
                           static_cast<std::size_t>(u);
        writer.write(coefficients + 64 * block, bits);
      } else {
        writer.write_dc(writer.last_dc, bits);
        writer.write_zeros(bits);
      }
    }
}

}  // namespace

File jpeg_file(const Image& image, int quality, Scratch& scratch) {
  NM_CHECK(image.height <= 65535 && image.width <= 65535, "[jpeg] image is ", image.height, "x", image.width,
           ", expected sides of at most 65535, the most a file can state");
  const Scratch::Frame frame(scratch);
  const JpegPlanes planes = take_jpeg_planes(image.height, image.width, image.channels, scratch);
  split_jpeg_planes(image, planes, scratch);
  File file;
  append_headers(file, image.height, image.width, planes.count, quality);
  const std::int16_t* coefficients[3];
  BlockWriter writers[3];
  for (int c = 0; c < planes.count; ++c) {
    const JpegPlane& plane = planes.plane[c];
    std::int16_t* const memory = scratch
                                     .take<std::int16_t>(64 * static_cast<std::size_t>(plane.blocks_high) *
                                                         static_cast<std::size_t>(plane.blocks_wide))
                                     .data();
    transform_plane(plane, make_jpeg_quantiser(c, quality), memory);
    coefficients[c] = memory;
    writers[c] = {make_codes(jpeg_dc_codes(c)), make_codes(jpeg_ac_codes(c))};
  }
  BitWriter bits(file);
  const int pixels = planes.count == 1 ? 8 : 16;
  for (int y = 0; y < (image.height + pixels - 1) / pixels; ++y)
    for (int x = 0; x < (image.width + pixels - 1) / pixels; ++x)
      for (int c = 0; c < planes.count; ++c)
        write_unit(planes.plane[c], coefficients[c], y, x, planes.count == 3 && c == 0 ? 2 : 1, writers[c],
                   bits);
  bits.finish();
  append(file, {0xff, 0xd9});
  return file;
}

}  // namespace noisymix

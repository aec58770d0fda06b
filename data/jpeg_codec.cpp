// JPEG through libjpeg(-turbo): the accurate integer DCT and smooth chroma upsampling that are its defaults.
#include <algorithm>
#include <csetjmp>
#include <cstdio>  // jpeglib.h needs FILE and size_t
#include <utility>

#include <jerror.h>
#include <jpeglib.h>

#include "data/image_codec.h"
#include "engine/error.h"

namespace noisymix {
namespace {

// A progressive file may repeat scans over all pixels at a few bytes each; real files have about ten.
constexpr int kMostScans = 200;

// As in png_codec.cpp: what has a destructor lives here, not in the functions that call setjmp.
struct Reader {
  jpeg_error_mgr errors{};  // first: libjpeg hands out a pointer to it
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX] = "";
  jpeg_progress_mgr progress{};
  jpeg_decompress_struct jpeg{};
  Image image;
  Bytes cmyk_row;

  Reader() = default;
  ~Reader() { jpeg_destroy_decompress(&jpeg); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
};

Reader& reader_of(j_common_ptr common) {
  return *static_cast<Reader*>(common->client_data);
}

[[noreturn]] void on_error(j_common_ptr common) {
  Reader& reader = reader_of(common);
  common->err->format_message(common, reader.message);
  std::longjmp(reader.jump, 1);
}

/// libjpeg only warns about damaged or missing data and fills in grey; here that is an error.
void on_message(j_common_ptr common, int level) {
  const int code = common->err->msg_code;
  const bool harmless = code == JWRN_JFIF_MAJOR || code == JWRN_ADOBE_XFORM;  // odd version numbers
  if (level < 0 && !harmless) on_error(common);
}

void on_progress(j_common_ptr common) {
  auto* jpeg = reinterpret_cast<j_decompress_ptr>(common);
  if (jpeg->input_scan_number <= kMostScans) return;
  Reader& reader = reader_of(common);
  std::snprintf(reader.message, sizeof(reader.message), "more than %d scans", kMostScans);
  std::longjmp(reader.jump, 1);
}

/// Inks to light. Photoshop, and so everybody, stores CMYK inverted: 255 is no ink.
void append_cmyk_as_rgb(const std::uint8_t* stored, int width, std::uint8_t* rgb) {
  for (int x = 0; x < width; ++x, stored += 4)
    for (int c = 0; c < 3; ++c) {
      const int white = stored[3], product = (255 - stored[c]) * white + 128;
      *rgb++ = static_cast<std::uint8_t>(white - ((product >> 8) + product) / 256);
    }
}

bool read_header(Reader& reader, ByteView bytes) {
  if (setjmp(reader.jump)) return false;
  jpeg_create_decompress(&reader.jpeg);
  reader.jpeg.progress = &reader.progress;
  jpeg_mem_src(&reader.jpeg, bytes.data(), static_cast<unsigned long>(bytes.size()));
  jpeg_read_header(&reader.jpeg, TRUE);
  return true;
}

bool read_pixels(Reader& reader) {
  if (setjmp(reader.jump)) return false;
  jpeg_decompress_struct& jpeg = reader.jpeg;
  const bool cmyk = jpeg.num_components == 4;
  if (reader.image.channels == 3) jpeg.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
  jpeg_start_decompress(&jpeg);
  const bool fits = jpeg.output_height == static_cast<JDIMENSION>(reader.image.height) &&
                    jpeg.output_width == static_cast<JDIMENSION>(reader.image.width);
  if (!fits) {
    std::snprintf(reader.message, sizeof(reader.message), "the library gives another size");
    return false;
  }
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW out = reader.image.row(static_cast<int>(jpeg.output_scanline));
    JSAMPROW row = cmyk ? reader.cmyk_row.data() : out;
    jpeg_read_scanlines(&jpeg, &row, 1);
    if (cmyk) append_cmyk_as_rgb(row, reader.image.width, out);
  }
  jpeg_finish_decompress(&jpeg);
  return true;
}

/// The strongest reduction that libjpeg knows after which both sides are still that large; 1 for none.
unsigned reduction(const jpeg_decompress_struct& jpeg, int shorter_side) {
  const unsigned shorter = std::min(jpeg.image_height, jpeg.image_width);
  unsigned by = 8;
  while (by > 1 && (shorter + by - 1) / by < static_cast<unsigned>(shorter_side)) by /= 2;
  return by;
}

Image decode(const std::string& name, ByteView bytes, int shorter_side) {
  Reader reader;
  reader.jpeg.err = jpeg_std_error(&reader.errors);
  reader.jpeg.client_data = &reader;
  reader.errors.error_exit = on_error;
  reader.errors.emit_message = on_message;
  reader.progress.progress_monitor = on_progress;
  NM_CHECK_AS(DataError, read_header(reader, bytes), name,
              ": not a valid JPEG: ", printable(reader.message, 200));

  check_image_size(name, reader.jpeg.image_height, reader.jpeg.image_width);
  const int components = reader.jpeg.num_components;
  NM_CHECK_AS(DataError, components == 1 || components == 3 || components == 4, name, ": JPEG with ",
              components, " components, expected 1 (grey), 3 (colour) or 4 (CMYK)");
  reader.jpeg.scale_num = 1;
  reader.jpeg.scale_denom = shorter_side > 0 ? reduction(reader.jpeg, shorter_side) : 1;
  const auto scaled = [&](unsigned side) {  // as jpeg_calc_output_dimensions() rounds
    return static_cast<int>((side + reader.jpeg.scale_denom - 1) / reader.jpeg.scale_denom);
  };
  const int height = scaled(reader.jpeg.image_height), width = scaled(reader.jpeg.image_width);
  reader.image = Image(height, width, components == 1 ? 1 : 3);
  if (components == 4) reader.cmyk_row.resize(static_cast<std::size_t>(width) * 4);
  NM_CHECK_AS(DataError, read_pixels(reader), name, ": damaged JPEG: ", printable(reader.message, 200));
  return std::move(reader.image);
}

}  // namespace

Image decode_jpeg(const std::string& name, ByteView bytes) {
  return decode(name, bytes, 0);
}

Image decode_jpeg_at_least(const std::string& name, ByteView bytes, int shorter_side) {
  NM_CHECK(shorter_side >= 1, "[jpeg] the shorter side is ", shorter_side, ", expected 1 or more");
  return decode(name, bytes, shorter_side);
}

}  // namespace noisymix

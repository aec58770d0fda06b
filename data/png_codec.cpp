// PNG through libpng.
#include <algorithm>
#include <csetjmp>
#include <cstring>
#include <vector>

#include <png.h>

#include "data/image_codec.h"
#include "engine/error.h"

namespace noisymix {
namespace {

constexpr png_alloc_size_t kLargestChunk = 8 << 20;  // text and colour profiles, unpacked
constexpr std::uint64_t kBestDeflateRatio = 1032;    // what one byte of deflate can stand for at most

// libpng reports errors by longjmp, which must not skip destructors. So everything with one lives in these
// structs, owned by the public functions, and the functions that call setjmp have only plain locals.
struct Reader {
  ByteView input;
  std::size_t position = 0;
  char message[160] = "";
  png_structp png = nullptr;
  png_infop info = nullptr;
  Image image;
  std::vector<png_bytep> rows;

  explicit Reader(ByteView bytes) : input(bytes) {}
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
};

struct Writer {
  Bytes output;
  char message[160] = "";
  png_structp png = nullptr;
  png_infop info = nullptr;
  bool out_of_memory = false;

  Writer() = default;
  ~Writer() { png_destroy_write_struct(&png, &info); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
};

[[noreturn]] void on_error(png_structp png, png_const_charp text) {
  char* message = static_cast<char*>(png_get_error_ptr(png));
  std::strncpy(message, text, 159);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}  // about chunks that do not change the pixels

void on_read(png_structp png, png_bytep target, std::size_t count) {
  auto* reader = static_cast<Reader*>(png_get_io_ptr(png));
  if (count > reader->input.size() - reader->position) png_error(png, "the file is truncated");
  std::memcpy(target, reader->input.data() + reader->position, count);
  reader->position += count;
}

void on_write(png_structp png, png_bytep data, std::size_t count) {
  auto* writer = static_cast<Writer*>(png_get_io_ptr(png));
  try {
    writer->output.insert(writer->output.end(), data, data + count);
  } catch (const std::bad_alloc&) {
    writer->out_of_memory = true;
  }
  if (writer->out_of_memory) png_error(png, "out of memory");
}

void on_flush(png_structp) {}

/// Up to the pixels, with the conversions to 8-bit grey or RGB set up. False: see message.
bool read_header(Reader& reader) {
  if (setjmp(png_jmpbuf(reader.png))) return false;
  png_set_read_fn(reader.png, &reader, on_read);
  png_set_user_limits(reader.png, kLargestImageSide, kLargestImageSide);
  png_set_chunk_malloc_max(reader.png, kLargestChunk);
  png_set_chunk_cache_max(reader.png, 64);
  png_read_info(reader.png, reader.info);
  png_set_expand(reader.png);  // palettes to RGB, small grey depths to 8 bits
  png_set_scale_16(reader.png);
  png_set_strip_alpha(reader.png);
  png_set_interlace_handling(reader.png);
  return true;
}

bool read_pixels(Reader& reader) {
  if (setjmp(png_jmpbuf(reader.png))) return false;
  png_read_update_info(reader.png, reader.info);
  if (png_get_rowbytes(reader.png, reader.info) != reader.image.stride())
    png_error(reader.png, "unexpected row size");
  png_read_image(reader.png, reader.rows.data());
  png_read_end(reader.png, nullptr);
  return true;
}

bool write_all(Writer& writer, const Image& image) {
  if (setjmp(png_jmpbuf(writer.png))) return false;
  png_set_write_fn(writer.png, &writer, on_write, on_flush);
  png_set_IHDR(writer.png, writer.info, static_cast<png_uint_32>(image.width),
               static_cast<png_uint_32>(image.height), 8,
               image.channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(writer.png, writer.info);
  for (int y = 0; y < image.height; ++y) png_write_row(writer.png, image.row(y));
  png_write_end(writer.png, nullptr);
  return true;
}

}  // namespace

Image decode_png(const std::string& name, ByteView bytes) {
  Reader reader(bytes);
  reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, reader.message, on_error, on_warning);
  if (reader.png != nullptr) reader.info = png_create_info_struct(reader.png);
  NM_CHECK_AS(DataError, reader.info != nullptr, name, ": libpng cannot start");
  NM_CHECK_AS(DataError, read_header(reader), name, ": not a valid PNG: ", printable(reader.message, 200));

  const std::int64_t height = png_get_image_height(reader.png, reader.info);
  const std::int64_t width = png_get_image_width(reader.png, reader.info);
  check_image_size(name, height, width);
  const std::uint64_t stored = png_get_rowbytes(reader.png, reader.info) * static_cast<std::uint64_t>(height);
  NM_CHECK_AS(DataError, stored / kBestDeflateRatio <= bytes.size(), name, ": claims ", height, "x", width,
              " pixels, more than a file of ", bytes.size(), " bytes can hold");
  const bool grey = (png_get_color_type(reader.png, reader.info) & PNG_COLOR_MASK_COLOR) == 0;
  reader.image = Image(static_cast<int>(height), static_cast<int>(width), grey ? 1 : 3);
  for (int y = 0; y < reader.image.height; ++y) reader.rows.push_back(reader.image.row(y));
  NM_CHECK_AS(DataError, read_pixels(reader), name, ": damaged PNG: ", printable(reader.message, 200));
  return std::move(reader.image);
}

Bytes encode_png(const Image& image) {
  NM_CHECK((image.channels == 1 || image.channels == 3) && image.height >= 1 && image.width >= 1,
           "[png] cannot write an image of ", image.height, "x", image.width, "x", image.channels);
  Writer writer;
  writer.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, writer.message, on_error, on_warning);
  if (writer.png != nullptr) writer.info = png_create_info_struct(writer.png);
  NM_CHECK_AS(DataError, writer.info != nullptr && write_all(writer, image), "[png] ", writer.message);
  return std::move(writer.output);
}

}  // namespace noisymix

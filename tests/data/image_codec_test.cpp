// PNG and JPEG against the reference arrays, and damage.
#include "data/image_codec.h"

#include <doctest/doctest.h>

#include <cmath>

#include "data/npy.h"
#include "tests/data/expect_data_error.h"
#include "tests/golden.h"
#include "tests/scratch_folder.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

/// The reference as the decoder should give it: alpha dropped, 16 bits rounded to 8.
Image expected_image(const NpyArray& array, int& largest) {
  const Shape& shape = array.values.shape();
  const int stored = shape.rank() == 3 ? static_cast<int>(shape[2]) : 1, kept = stored <= 2 ? 1 : 3;
  const std::vector<std::int32_t> values = array.values.dtype() == Dtype::u8
                                               ? [&] { const auto bytes = array.values.to_vector<std::uint8_t>();
                                                       return std::vector<std::int32_t>(bytes.begin(), bytes.end()); }()
                                               : array.values.to_vector<std::int32_t>();
  largest = array.values.dtype() == Dtype::u8 ? 255 : 65535;
  Image image(static_cast<int>(shape[0]), static_cast<int>(shape[1]), kept);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    const std::size_t source = i / static_cast<std::size_t>(kept) * static_cast<std::size_t>(stored) +
                               i % static_cast<std::size_t>(kept);
    image.pixels[i] = static_cast<std::uint8_t>(std::lround(values[source] * 255.0 / largest));
  }
  return image;
}

/// Largest difference between two images of one shape; 1000 when the shapes differ.
int difference(const Image& a, const Image& b) {
  if (a.height != b.height || a.width != b.width || a.channels != b.channels) return 1000;
  int most = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i)
    most = std::max(most, std::abs(int{a.pixels[i]} - int{b.pixels[i]}));
  return most;
}

Image gradient(int height, int width, int channels) {
  Image image(height, width, channels);
  for (std::size_t i = 0; i < image.pixels.size(); ++i)
    image.pixels[i] = static_cast<std::uint8_t>(i * 7 + i / 13);
  return image;
}

Bytes fixture(const std::string& name) {
  return read_file_bytes(fixture_path("io/" + name));
}

}  // namespace

/// stb is a stopgap for machines without the libraries: close, and lenient.
bool all_libraries() {
  return image_libraries() == "libpng, libjpeg";
}

TEST_CASE("image codec: every golden PNG and JPEG decodes exactly") {
  const int allowed = all_libraries() ? 0 : 8;
  int seen = 0;
  const auto manifest = read_json(fixture_path("io/manifest.json"));
  for (const auto& entry : manifest.at("files")) {
    const std::string file = entry.at("file"), format = entry.at("format");
    if (format != "png" && format != "jpeg") continue;
    CAPTURE(file);
    ++seen;
    const Image image = read_image(fixture_path("io/" + file));
    int largest = 255;
    if (file != "jpeg/cmyk.jpg") {  // whose main reference is in inks
      const NpyArray reference = read_npy(fixture_path("io/" + entry.at("expected").get<std::string>()));
      CHECK(difference(image, expected_image(reference, largest)) <= allowed);
    }
    if (entry.contains("expected_rgb8")) {
      const NpyArray reference = read_npy(fixture_path("io/" + entry.at("expected_rgb8").get<std::string>()));
      CHECK(difference(to_rgb(image), expected_image(reference, largest)) <= allowed);
    }
  }
  CHECK(seen == 30);
}

TEST_CASE("image codec: PNG round trip") {
  ScratchFolder folder;
  for (const int channels : {1, 3})
    for (const auto& [height, width] : {std::pair{1, 1}, {5, 3}, {33, 64}}) {
      const Image image = gradient(height, width, channels);
      write_png(folder / "a.png", image);
      CHECK(read_image(folder / "a.png") == image);
    }
  CHECK_THROWS_AS(encode_png(Image(0, 3, 3)), ShapeError);
  CHECK_THROWS_AS(encode_png(Image(2, 2, 2)), ShapeError);
}

TEST_CASE("image codec: bad input") {
  const auto refuse = [](const Bytes& bytes, const char* message) {
    expect_data_error("bad.img", message, [&] { decode_image("bad.img", bytes); });
  };
  refuse({}, "neither PNG nor JPEG");
  refuse({'G', 'I', 'F', '8', '9', 'a'}, "neither PNG nor JPEG");

  expect_data_error("nowhere.png", "no such file", [] { read_image("/nowhere.png"); });
  if (!all_libraries()) return;  // stb shows what is left of a damaged picture
  const Bytes png = fixture("png/rgb.png"), jpeg = fixture("jpeg/baseline_420.jpg");
  for (const std::size_t size : {std::size_t{8}, std::size_t{20}, png.size() / 2, png.size() - 15})
    refuse(Bytes(png.begin(), png.begin() + static_cast<std::ptrdiff_t>(size)), "PNG");
  for (const std::size_t size : {std::size_t{3}, std::size_t{100}, jpeg.size() / 2, jpeg.size() - 2})
    refuse(Bytes(jpeg.begin(), jpeg.begin() + static_cast<std::ptrdiff_t>(size)), "JPEG");

  Bytes flipped = png;
  flipped[png.size() / 2] ^= 0x10;
  refuse(flipped, "PNG");
  Bytes corrupt = jpeg;
  for (std::size_t i = jpeg.size() / 2; i < jpeg.size() / 2 + 40; ++i) corrupt[i] = 0xFF;
  refuse(corrupt, "JPEG");
}

TEST_CASE("image codec: sizes are checked before memory is taken") {
  Bytes jpeg = fixture("jpeg/baseline_444.jpg");
  for (std::size_t i = 0; i + 9 < jpeg.size(); ++i)
    if (jpeg[i] == 0xFF && jpeg[i + 1] == 0xC0) {  // start of frame: height, width
      jpeg[i + 5] = jpeg[i + 6] = jpeg[i + 7] = jpeg[i + 8] = 0xF0;
      break;
    }
  expect_data_error("huge.jpg", all_libraries() ? "more than the" : "JPEG",
                    [&] { decode_image("huge.jpg", jpeg); });
  CHECK_THROWS_AS(check_image_size("x", 0, 5), DataError);
  CHECK_THROWS_AS(check_image_size("x", 16384, 16384), DataError);
  CHECK_NOTHROW(check_image_size("x", 8192, 8192));
}

TEST_CASE("image codec: JPEGs at a fraction of their size, never below the side asked for") {
  for (const char* name :
       {"jpeg/baseline_420.jpg", "jpeg/progressive.jpg", "jpeg/gray.jpg", "jpeg/cmyk.jpg"}) {
    CAPTURE(name);
    const Bytes bytes = fixture(name);
    const Image whole = decode_image(name, bytes);
    const int shorter = std::min(whole.height, whole.width);
    for (const int side : {1, (shorter + 7) / 8, shorter / 3, (shorter + 1) / 2, shorter, 10 * shorter}) {
      CAPTURE(side);
      const Image small = decode_image_at_least(name, bytes, side);
      CHECK(small.channels == whole.channels);
      CHECK(std::min(small.height, small.width) >= std::min(side, shorter));
      if (!all_libraries()) continue;
      int by = 8;  // the largest of 1, 2, 4, 8 that leaves the side
      while (by > 1 && (shorter + by - 1) / by < side) by /= 2;
      CHECK(small.height == (whole.height + by - 1) / by);
      CHECK(small.width == (whole.width + by - 1) / by);
      if (by == 1) CHECK(small == whole);
      // Means over the picture agree: it is the same picture.
      double a = 0, b = 0;
      for (const auto pixel : whole.pixels) a += pixel;
      for (const auto pixel : small.pixels) b += pixel;
      const auto count = [](const Image& image) { return static_cast<double>(image.pixels.size()); };
      CHECK(std::abs(a / count(whole) - b / count(small)) < 6);
    }
  }
  const Bytes png = fixture("png/rgb.png");
  CHECK(decode_image_at_least("a.png", png, 1) == decode_image("a.png", png));
  if (!all_libraries()) return;
  CHECK_THROWS_AS(decode_jpeg_at_least("a.jpg", fixture("jpeg/gray.jpg"), 0), ShapeError);
  const Bytes jpeg = fixture("jpeg/baseline_420.jpg");
  const Bytes half(jpeg.begin(), jpeg.begin() + static_cast<std::ptrdiff_t>(jpeg.size() / 2));
  expect_data_error("half.jpg", "JPEG", [&] { decode_image_at_least("half.jpg", half, 4); });
}

// Every instruction set gives the bytes of the definitions, and the floats of the others, for many random
// images, sizes and parameters.
#include <array>
#include <cmath>
#include <vector>

#include "augment/image_ops.h"
#include "augment/normalize.h"
#include "augment/views.h"
#include "engine/cpu/cpu_features.h"
#include "tests/augment/images.h"
#include "tests/golden.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

struct Size {
  int height, width, channels;
};
constexpr Size kSizes[] = {{1, 1, 3},   {5, 7, 3},   {28, 28, 1},  {32, 32, 3}, {64, 64, 3},
                           {1, 1, 1},   {2, 17, 3},  {33, 3, 3},   {3, 65, 1},  {16, 16, 3},
                           {31, 21, 3}, {40, 48, 1}, {300, 260, 3}};

/// check(image, key) for random and smooth images of all sizes, with every instruction set.
template <typename Check>
void for_all(int rounds, const Check& check) {
  const auto level = cpu::active_isa();
  for (const cpu::Isa isa : cpu::usable_isas()) {
    cpu::set_isa(isa);
    for (int i = 0; i < rounds; ++i) {
      int number = 0;
      for (const Size& s : kSizes) {
        const Key key = Key(5).child(i).child(number++);
        if (s.height > 100 && i > 1) continue;
        check(i % 2 == 0 ? random_image(s.height, s.width, s.channels, key)
                         : smooth_image(s.height, s.width, s.channels, key),
              key.child("parameter"));
      }
    }
  }
  cpu::set_isa(level);
}

/// The image with each value v of channel c replaced by table(c)[v].
template <typename Table>
Image mapped(const Image& image, const Table& table) {
  Image out = image;
  for (int c = 0; c < image.channels; ++c) {
    std::array<int, 256> counts{};
    for (std::size_t i = static_cast<std::size_t>(c); i < image.pixels.size();
         i += static_cast<std::size_t>(image.channels))
      ++counts[image.pixels[i]];
    const std::array<int, 256> values = table(counts);
    for (std::size_t i = static_cast<std::size_t>(c); i < image.pixels.size();
         i += static_cast<std::size_t>(image.channels))
      out.pixels[i] = static_cast<std::uint8_t>(values[image.pixels[i]]);
  }
  return out;
}

std::array<int, 256> identity() {
  std::array<int, 256> values{};
  for (int v = 0; v < 256; ++v) values[static_cast<std::size_t>(v)] = v;
  return values;
}

std::array<int, 256> stretched(const std::array<int, 256>& counts) {
  int low = 0, high = 255;
  while (low < 255 && counts[static_cast<std::size_t>(low)] == 0) ++low;
  while (high > 0 && counts[static_cast<std::size_t>(high)] == 0) --high;
  auto values = identity();
  if (high <= low) return values;
  const double scale = 255.0 / (high - low), offset = -low * scale;
  for (int& v : values) v = std::clamp(static_cast<int>(v * scale + offset), 0, 255);
  return values;
}

std::array<int, 256> flattened(const std::array<int, 256>& counts) {
  int pixels = 0, last = 0;
  for (const int count : counts) {
    pixels += count;
    if (count > 0) last = count;
  }
  const int step = (pixels - last) / 255;
  auto values = identity();
  if (step == 0) return values;
  int n = step / 2;
  for (std::size_t v = 0; v < 256; ++v) {
    values[v] = std::min(n / step, 255);
    n += counts[v];
  }
  return values;
}

/// The map pixel by pixel in double precision.
Image transformed(const Image& image, const AffineMatrix& matrix) {
  Image out(image.height, image.width, image.channels);
  for (int y = 0; y < image.height; ++y) affine_row_exact(image, out, matrix, y, 0, image.width);
  return out;
}

Image moved(const Image& image, int down, int right) {
  Image out(image.height, image.width, image.channels);
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x)
      for (int c = 0; c < image.channels; ++c)
        if (y + down >= 0 && y + down < image.height && x + right >= 0 && x + right < image.width)
          out.row(y)[x * image.channels + c] = image.row(y + down)[(x + right) * image.channels + c];
  return out;
}

Image mirrored(const Image& image) {
  Image out = image;
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x)
      for (int c = 0; c < image.channels; ++c)
        out.row(y)[x * image.channels + c] = image.row(y)[(image.width - 1 - x) * image.channels + c];
  return out;
}

}  // namespace

TEST_CASE("tables: autocontrast, equalize, posterize, solarize") {
  Image out;
  for_all(12, [&](const Image& image, Key key) {
    autocontrast(image, out);
    REQUIRE(out == mapped(image, stretched));
    equalize(image, out);
    REQUIRE(out == mapped(image, flattened));
    const int bits = static_cast<int>(key.below(0, 9)), threshold = static_cast<int>(key.below(1, 257));
    posterize(image, out, bits);
    REQUIRE(out == mapped(image, [&](const auto&) {
              auto values = identity();
              for (int& v : values) v &= 0xFF << (8 - bits);
              return values;
            }));
    solarize(image, out, threshold);
    REQUIRE(out == mapped(image, [&](const auto&) {
              auto values = identity();
              for (int& v : values) v = v < threshold ? v : 255 - v;
              return values;
            }));
  });
}

TEST_CASE("geometry: rotations, shears, general maps, translations, mirroring") {
  Image out;
  for_all(24, [&](const Image& image, Key key) {
    const double degrees = 90 * key.uniform(0) - 45, factor = 0.8 * key.uniform(1) - 0.4;
    if (degrees != 0) {
      rotate(image, out, degrees);
      REQUIRE(out == transformed(image, rotation_matrix(image.width, image.height,
                                                        degrees < 0 ? degrees + 360 : degrees)));
    }
    shear_x(image, out, factor);
    REQUIRE(out == transformed(image, {1, factor, 0, 0, 1, 0}));
    shear_y(image, out, factor);
    REQUIRE(out == transformed(image, {1, 0, 0, factor, 1, 0}));
    AffineMatrix m;
    for (std::size_t i = 0; i < 6; ++i) m[i] = (i % 3 == 2 ? 20.0 : 7.0) * (key.uniform(2 + i) - 0.5);
    affine(image, out, m);  // steep enough to leave the range of the fast routine now and then
    REQUIRE(out == transformed(image, m));
    const int right = static_cast<int>(key.below(8, 91)) - 45, down = static_cast<int>(key.below(9, 91)) - 45;
    translate_x(image, out, right);
    REQUIRE(out == moved(image, 0, right));
    translate_y(image, out, down);
    REQUIRE(out == moved(image, down, 0));
    pad_crop(image, out, 45, down + 45, right + 45);
    REQUIRE(out == moved(image, down, right));
    flip_horizontal(image, out);
    REQUIRE(out == mirrored(image));
  });
}

TEST_CASE("maps onto half pixels, whole pixels and the border itself") {
  Image out;
  for_all(2, [&](const Image& image, Key) {
    const double eps = 0x1p-26;
    for (const AffineMatrix& m :
         {AffineMatrix{1, 0, 0.5, 0, 1, 0.5}, AffineMatrix{1, 0, -0.5, 0, 1, 0},
          AffineMatrix{1, 0, 3, 0, 1, -2}, AffineMatrix{1, 0, eps, 0, 1, -eps},
          AffineMatrix{1, 0, 0.5 - eps, 0, 1, -0.5 + eps}, AffineMatrix{0.5, 0, 0, 0, 2, 0},
          AffineMatrix{0, 0, 0, 0, 0, 0}, AffineMatrix{-1, 0, 8, 0, -1, 8}, AffineMatrix{0, 1, 0, 1, 0, 0},
          AffineMatrix{3.999, 1, -9, -3.999, 1, 30}}) {
      affine(image, out, m);
      REQUIRE(out == transformed(image, m));
    }
  });
}

TEST_CASE("mixtures and views have the same bits on every instruction set") {
  const auto level = cpu::active_isa();
  const Normalization normalization{{0.4f, 0.5f, 0.6f}, {0.2f, 0.25f, 0.3f}};
  const auto views = make_augmix_views({}, {}, true, 2, normalization);
  for (const Size& s : kSizes) {
    for (int i = 0; i < 8; ++i) {
      const Image image = smooth_image(s.height, s.width, s.channels, Key(i));
      std::vector<std::vector<float>> first;
      for (const cpu::Isa isa : cpu::usable_isas()) {
        cpu::set_isa(isa);
        std::vector<std::vector<float>> outputs(3, std::vector<float>(image.pixels.size(), NAN));
        views->make(image, Key(i), {outputs[0].data(), outputs[1].data(), outputs[2].data()});
        if (first.empty()) first = outputs;
        REQUIRE(outputs == first);
      }
    }
  }
  cpu::set_isa(level);
}

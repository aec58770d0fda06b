#include "augment/image_ops.h"

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "engine/error.h"
#include "engine/io/safetensors.h"
#include "tests/augment/images.h"
#include "tests/golden.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

/// The full set of reference images where there is one, else the trimmed one of the repository.
std::filesystem::path reference_folder() {
  if (const char* root = std::getenv("NOISYMIX_GOLDEN")) {
    const auto folder = std::filesystem::path(root) / "augment_ops";
    if (std::filesystem::exists(folder / "manifest.json")) return folder;
  }
  return fixture_path("augment_ops/manifest.json").parent_path();
}

using Case = nlohmann::json;
using Run = std::function<void(const Image&, Image&, const Case&)>;

const std::map<std::string, Run>& operations() {
  const auto real = [](const Case& c) { return c.at("value").get<double>(); };
  const auto whole = [](const Case& c) { return c.at("value").get<int>(); };
  static const std::map<std::string, Run> table{
      {"autocontrast", [](const Image& i, Image& o, const Case&) { autocontrast(i, o); }},
      {"equalize", [](const Image& i, Image& o, const Case&) { equalize(i, o); }},
      {"invert", [](const Image& i, Image& o, const Case&) { invert(i, o); }},
      {"hflip", [](const Image& i, Image& o, const Case&) { flip_horizontal(i, o); }},
      {"rgb_to_l", [](const Image& i, Image& o, const Case&) { grayscale(i, o); }},
      {"posterize", [=](const Image& i, Image& o, const Case& c) { posterize(i, o, whole(c)); }},
      {"solarize", [=](const Image& i, Image& o, const Case& c) { solarize(i, o, whole(c)); }},
      {"translate_x", [=](const Image& i, Image& o, const Case& c) { translate_x(i, o, whole(c)); }},
      {"translate_y", [=](const Image& i, Image& o, const Case& c) { translate_y(i, o, whole(c)); }},
      {"rotate", [=](const Image& i, Image& o, const Case& c) { rotate(i, o, real(c)); }},
      {"rotate_nearest", [=](const Image& i, Image& o, const Case& c) { rotate_nearest(i, o, real(c)); }},
      {"shear_x", [=](const Image& i, Image& o, const Case& c) { shear_x(i, o, real(c)); }},
      {"shear_y", [=](const Image& i, Image& o, const Case& c) { shear_y(i, o, real(c)); }},
      {"color", [=](const Image& i, Image& o, const Case& c) { color(i, o, real(c)); }},
      {"contrast", [=](const Image& i, Image& o, const Case& c) { contrast(i, o, real(c)); }},
      {"brightness", [=](const Image& i, Image& o, const Case& c) { brightness(i, o, real(c)); }},
      {"sharpness", [=](const Image& i, Image& o, const Case& c) { sharpness(i, o, real(c)); }},
      {"adjust_brightness", [=](const Image& i, Image& o, const Case& c) { brightness(i, o, real(c)); }},
      {"adjust_contrast", [=](const Image& i, Image& o, const Case& c) { contrast(i, o, real(c)); }},
      {"adjust_saturation", [=](const Image& i, Image& o, const Case& c) { color(i, o, real(c)); }},
      {"pad_crop",
       [](const Image& i, Image& o, const Case& c) {
         pad_crop(i, o, c.at("pad").get<int>(), c.at("value").at(0).get<int>(),
                  c.at("value").at(1).get<int>());
       }},
  };
  return table;
}

Image grey(std::vector<std::uint8_t> pixels, int height, int width) {
  Image image(height, width, 1);
  image.pixels = std::move(pixels);
  return image;
}

}  // namespace

TEST_CASE("every operation gives the reference library's bytes") {
  const auto folder = reference_folder();
  const auto bundle = read_safetensors(folder / "augment_ops.safetensors");
  const auto manifest = read_json(folder / "manifest.json");
  const Tensor& images = bundle.at("images");
  std::map<std::string, int> tested;
  for (const auto& c : manifest.at("cases")) {
    const auto found = operations().find(c.at("op").get<std::string>());
    if (found == operations().end()) continue;
    const Tensor& expected = bundle.at(c.at("output").get<std::string>());
    ++tested[found->first];
    Image out;
    int wrong = 0;
    for (std::int64_t i = 0; i < images.dim(0); ++i) {
      found->second(image_of(images, i), out, c);
      wrong += !(out == image_of(expected, i));
    }
    CHECK_MESSAGE(wrong == 0, c.at("name").get<std::string>(), ": ", wrong, " of ", images.dim(0),
                  " images differ");
  }
  CHECK(tested.size() >= 16);
  CHECK(tested["rotate"] >= 17);
}

TEST_CASE("grey images are treated as one channel of a colour image") {
  const Image colour = random_image(9, 11, 3, Key(3));
  for (int c = 0; c < 3; ++c) {
    Image channel(9, 11, 1);
    for (std::size_t i = 0; i < channel.pixels.size(); ++i)
      channel.pixels[i] = colour.pixels[3 * i + static_cast<std::size_t>(c)];
    const auto agree = [&](auto operation) {
      Image all, one;
      operation(colour, all);
      operation(channel, one);
      REQUIRE(one.channels == 1);
      for (std::size_t i = 0; i < one.pixels.size(); ++i)
        REQUIRE(one.pixels[i] == all.pixels[3 * i + static_cast<std::size_t>(c)]);
    };
    agree([](const Image& i, Image& o) { autocontrast(i, o); });
    agree([](const Image& i, Image& o) { equalize(i, o); });
    agree([](const Image& i, Image& o) { posterize(i, o, 3); });
    agree([](const Image& i, Image& o) { solarize(i, o, 100); });
    agree([](const Image& i, Image& o) { rotate(i, o, 13); });
    agree([](const Image& i, Image& o) { shear_x(i, o, 0.17); });
    agree([](const Image& i, Image& o) { shear_y(i, o, -0.17); });
    agree([](const Image& i, Image& o) { translate_x(i, o, 3); });
    agree([](const Image& i, Image& o) { translate_y(i, o, -2); });
    agree([](const Image& i, Image& o) { flip_horizontal(i, o); });
    agree([](const Image& i, Image& o) { pad_crop(i, o, 2, 1, 4); });
    agree([](const Image& i, Image& o) { brightness(i, o, 0.7); });
    agree([](const Image& i, Image& o) { sharpness(i, o, 1.7); });
  }
}

TEST_CASE("small exact values") {
  Image out;
  autocontrast(grey({10, 20, 30, 20}, 2, 2), out);
  CHECK(out.pixels == std::vector<std::uint8_t>{0, 127, 255, 127});
  autocontrast(grey({7, 7, 7, 7}, 2, 2), out);
  CHECK(out.pixels == std::vector<std::uint8_t>{7, 7, 7, 7});
  equalize(grey({7, 7, 9, 9}, 2, 2), out);  // fewer than 255 pixels per step: unchanged
  CHECK(out.pixels == std::vector<std::uint8_t>{7, 7, 9, 9});
  posterize(grey({255, 129, 127, 15}, 2, 2), out, 1);
  CHECK(out.pixels == std::vector<std::uint8_t>{128, 128, 0, 0});
  posterize(grey({255, 129, 127, 15}, 2, 2), out, 0);
  CHECK(out.pixels == std::vector<std::uint8_t>{0, 0, 0, 0});
  solarize(grey({255, 128, 127, 0}, 2, 2), out, 128);
  CHECK(out.pixels == std::vector<std::uint8_t>{0, 127, 127, 0});
  invert(grey({255, 128, 127, 0}, 2, 2), out);
  CHECK(out.pixels == std::vector<std::uint8_t>{0, 127, 128, 255});
  rotate(grey({1, 2, 3, 4}, 2, 2), out, 90);
  CHECK(out.pixels == std::vector<std::uint8_t>{2, 4, 1, 3});
  rotate(grey({1, 2, 3, 4}, 2, 2), out, -90);
  CHECK(out.pixels == std::vector<std::uint8_t>{3, 1, 4, 2});
  translate_x(grey({1, 2, 3}, 1, 3), out, 1);
  CHECK(out.pixels == std::vector<std::uint8_t>{2, 3, 0});
  // 0.75 * 10 + 0.25 * 21 = 12.75 is truncated
  affine(grey({10, 21}, 1, 2), out, {1, 0, 0.25, 0, 1, 0});
  CHECK(out.pixels == std::vector<std::uint8_t>{12, 21});
  contrast(grey({0, 101}, 1, 2), out, 0.5);  // mean 50.5 rounds to 51
  CHECK(out.pixels == std::vector<std::uint8_t>{25, 76});
}

TEST_CASE("padding, cropping and flipping") {
  const Image image = random_image(5, 7, 3, Key(8));
  Image out, back;
  pad_crop(image, out, 3, 3, 3);
  CHECK(out == image);
  pad_crop(image, out, 9, 0, 18);  // nothing of the image is left
  CHECK(std::all_of(out.pixels.begin(), out.pixels.end(), [](std::uint8_t v) { return v == 0; }));
  flip_horizontal(image, out);
  CHECK(out.row(2)[0] == image.row(2)[18]);
  flip_horizontal(out, back);
  CHECK(back == image);
  flip_horizontal(random_image(3, 1, 3, Key(1)), out);
  CHECK(out == random_image(3, 1, 3, Key(1)));
}

TEST_CASE("parameters out of range are errors") {
  const Image image(2, 2, 3);
  Image out;
  CHECK_THROWS_AS(posterize(image, out, 9), ShapeError);
  CHECK_THROWS_AS(solarize(image, out, 257), ShapeError);
  CHECK_THROWS_AS(pad_crop(image, out, 4, 9, 0), ShapeError);
  CHECK_THROWS_AS(rotate(image, out, INFINITY), ShapeError);
}

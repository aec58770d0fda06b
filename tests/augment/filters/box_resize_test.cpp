// Resizing by area against recorded bytes and against the definition.
#include "augment/filters/box_resize.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/augment/corruptions/golden_case.h"
#include "tests/augment/images.h"

using namespace noisymix;

TEST_CASE("box resize: recorded bytes") {
  const auto manifest = testing::read_json(testing::fixture_path("corruptions/manifest.json"));
  const Safetensors file = read_safetensors(testing::fixture_path("corruptions/substeps.safetensors"));
  Scratch scratch;
  Image out;
  int seen = 0;
  for (const auto& entry : manifest["substeps"]["cases"]) {
    if (entry["op"] != "box_resize") continue;
    CAPTURE(entry["name"].get<std::string>());
    box_resize(testing::golden_image(file.at(entry["input"]), -1), entry["size"][1], entry["size"][0],
               scratch, out);
    CHECK(out == testing::golden_image(file.at(entry["output"]), -1));
    ++seen;
  }
  CHECK(seen == 16);
}

TEST_CASE("box resize: means of any number of pixels, grey and not square") {
  Scratch scratch;
  Image out;
  for (int channels : {1, 3}) {
    const Image image = testing::random_image(12, 20, channels, Key(5));
    for (int factor : {1, 2, 4}) {
      box_resize(image, 12 / factor, 20 / factor, scratch, out);
      REQUIRE(out.height == 12 / factor);
      REQUIRE(out.width == 20 / factor);
      REQUIRE(out.channels == channels);
      for (int y = 0; y < out.height; ++y)
        for (int x = 0; x < out.width; ++x)
          for (int c = 0; c < channels; ++c) {
            int columns = 0;  // of means along rows, rounded to bytes
            for (int i = 0; i < factor; ++i) {
              int sum = 0;
              for (int j = 0; j < factor; ++j)
                sum += image.row(y * factor + i)[(x * factor + j) * channels + c];
              columns += (2 * sum + factor) / (2 * factor);
            }
            CHECK(int{out.row(y)[x * channels + c]} == (2 * columns + factor) / (2 * factor));
          }
    }
    Image big;
    box_resize(image, 36, 40, scratch, big);  // grows: pixels are repeated
    for (int y = 0; y < 36; ++y)
      for (int x = 0; x < 40; ++x) CHECK(big.row(y)[x * channels] == image.row(y / 3)[x / 2 * channels]);
  }
  CHECK_THROWS(box_resize(Image(8, 8, 3), 0, 8, scratch, out));
  CHECK_THROWS(box_resize(Image(8, 8, 2), 4, 8, scratch, out));
}

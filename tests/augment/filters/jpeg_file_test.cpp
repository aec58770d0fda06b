// JPEG files against recorded ones and against libjpeg's own where it is installed.
#include "augment/filters/jpeg_file.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/augment/corruptions/golden_case.h"
#include "tests/augment/filters/libjpeg.h"

using namespace noisymix;

TEST_CASE("jpeg file: recorded bytes") {
  const auto manifest = testing::read_json(testing::fixture_path("corruptions/manifest.json"));
  const Safetensors file = read_safetensors(testing::fixture_path("corruptions/substeps.safetensors"));
  Scratch scratch;
  int seen = 0;
  for (const auto& entry : manifest["substeps"]["cases"]) {
    if (entry["op"] != "jpeg_roundtrip") continue;
    CAPTURE(entry["name"].get<std::string>());
    const Tensor expected = file.at(entry["bytes"]);
    const auto* bytes = expected.data<std::uint8_t>();
    CHECK(jpeg_file(testing::golden_image(file.at(entry["input"]), -1), entry["quality"], scratch) ==
          std::vector<std::uint8_t>(bytes, bytes + expected.numel()));
    ++seen;
  }
  CHECK(seen == 40);
}

TEST_CASE("jpeg file: what cannot be written") {
  Scratch scratch;
  CHECK_THROWS(jpeg_file(Image(8, 8, 3), 0, scratch));
  CHECK_THROWS(jpeg_file(Image(8, 8, 2), 50, scratch));
  CHECK_THROWS(jpeg_file(Image(8, 70000, 1), 50, scratch));
  CHECK_THROWS(jpeg_file(Image(0, 8, 1), 50, scratch));
}

#ifdef LIBJPEG_TURBO_VERSION
TEST_CASE("jpeg file: libjpeg's bytes for any size and quality") {
  Scratch scratch;
  for (int quality = 1; quality <= 100; ++quality)
    for (const auto& size : testing::kCodecSizes)
      for (int channels : {1, 3})
        for (int kind = 0; kind < testing::kImageKinds; ++kind) {
          const Image image = testing::codec_image(size[0], size[1], channels, kind, quality);
          CAPTURE(quality);
          CAPTURE(size[0]);
          CAPTURE(size[1]);
          CAPTURE(channels);
          CAPTURE(kind);
          REQUIRE(jpeg_file(image, quality, scratch) == testing::libjpeg_encode(image, quality));
        }
}
#endif

// The pixels of a JPEG file, against recorded ones and against libjpeg itself where it is installed.
#include "augment/filters/jpeg_round_trip.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/augment/corruptions/golden_case.h"
#include "tests/augment/filters/libjpeg.h"

using namespace noisymix;

TEST_CASE("jpeg round trip: recorded pixels") {
  const auto manifest = testing::read_json(testing::fixture_path("corruptions/manifest.json"));
  const Safetensors file = read_safetensors(testing::fixture_path("corruptions/substeps.safetensors"));
  Scratch scratch;
  Image out;
  int seen = 0;
  for (const auto& entry : manifest["substeps"]["cases"]) {
    if (entry["op"] != "jpeg_roundtrip") continue;
    CAPTURE(entry["name"].get<std::string>());
    jpeg_round_trip(testing::golden_image(file.at(entry["input"]), -1), entry["quality"], scratch, out);
    const auto wrong = testing::difference(out, testing::golden_image(file.at(entry["output"]), -1));
    CHECK(wrong.share == 0);
    ++seen;
  }
  CHECK(seen == 40);
}

TEST_CASE("jpeg round trip: quality") {
  Scratch scratch;
  Image out;
  CHECK_THROWS(jpeg_round_trip(Image(8, 8, 3), 0, scratch, out));
  CHECK_THROWS(jpeg_round_trip(Image(8, 8, 3), 101, scratch, out));
}

#ifdef LIBJPEG_TURBO_VERSION  // other libraries of the name interpolate colours in another way
TEST_CASE("jpeg round trip: libjpeg's pixels for any size and quality") {
  Scratch scratch;
  Image out;
  for (int quality = 1; quality <= 100; ++quality)
    for (const auto& size : testing::kCodecSizes)
      for (int channels : {1, 3})
        for (int kind = 0; kind < testing::kImageKinds; ++kind) {
          const Image image = testing::codec_image(size[0], size[1], channels, kind, quality);
          jpeg_round_trip(image, quality, scratch, out);
          CAPTURE(quality);
          CAPTURE(size[0]);
          CAPTURE(size[1]);
          CAPTURE(channels);
          CAPTURE(kind);
          REQUIRE(out == testing::libjpeg_decode(testing::libjpeg_encode(image, quality)));
        }
}
#endif

// Frames of snow against recorded ones.
#include "augment/sequences/snow_frames.h"

#include "tests/augment/images.h"
#include "tests/augment/sequences/golden_sequence.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("snow frames: recorded frames from the recorded layer") {
  for (const auto& golden : golden_sequences("snow")) {
    const auto layer = as_doubles(golden_sequence_arrays().at(golden.entry["draw"].get<std::string>()));
    const auto stream = snow_frames(golden.input, layer, snow_sequence_row(ParameterSet::cifar));
    Image out;
    for (std::size_t i = 0; i < golden.frames.size(); ++i) {
      CAPTURE(i);
      CHECK(golden.entry["angles"][i] == 4 * static_cast<int>(i) - 150);
      stream->next(out);
      const Difference d = difference(out, golden.frames[i]);
      CHECK(d.largest <= 1);
      CHECK(d.share <= 0);
    }
  }
}

TEST_CASE("snow frames: the corruption with the frame's angle, up to rounding") {
  for (const int channels : {1, 3}) {
    const Image image = smooth_image(17, 33, channels, Key(4));
    const SnowRow& row = snow_sequence_row(ParameterSet::imagenet);
    Scratch scratch;
    SnowDraws draws = draw_snow(Key(5), 17, 33, row, scratch);
    const auto stream = snow_frames(image, draws.layer, row);
    Image frame, expected;
    for (int i = 0; i < 31; ++i) {
      draws.degrees = 4 * i - 150;
      snow(image, draws, row, scratch, expected);
      stream->next(frame);
      const Difference d = difference(frame, expected);
      CHECK(d.largest <= 1);
      CHECK(d.share <= 0.002);
    }
  }
}

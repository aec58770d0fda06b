// Random resized crops: the law of the boxes, and the views made of them.
#include "augment/resized_crop.h"

#include <doctest/doctest.h>

#include <cmath>
#include <utility>

#include "augment/augmix.h"
#include "engine/error.h"
#include "tests/augment/images.h"
#include "tests/augment/resampled.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

const Normalization kBytes{{0, 0, 0}, {1 / 255.0f, 1 / 255.0f, 1 / 255.0f}};

std::unique_ptr<Views> whole_views(int count = 1) {
  return make_crop_flip_views({.padding = 0, .flip = false}, kBytes, count);
}

std::vector<float> first_view(const Views& views, const Image& image, Key key) {
  const auto shape = views.output_shape({image.height, image.width, image.channels});
  std::vector<std::vector<float>> outputs(
      static_cast<std::size_t>(views.count()),
      std::vector<float>(static_cast<std::size_t>(shape[0] * shape[1] * shape[2]), NAN));
  std::vector<float*> pointers;
  for (auto& output : outputs) pointers.push_back(output.data());
  views.make(image, key, pointers);
  return outputs.back();
}

}  // namespace

TEST_CASE("resized crop: areas, aspects and places follow their laws") {
  constexpr int kDraws = 20000, kHeight = 900, kWidth = 900;
  double area_sum = 0, area_squares = 0, aspect_sum = 0, row_sum = 0, column_sum = 0;
  int accepted = 0;
  for (int i = 0; i < kDraws; ++i) {
    const PixelBox box = draw_resized_crop(kHeight, kWidth, 0.25, Key(1).child(i));
    REQUIRE(box.top >= 0);
    REQUIRE(box.left >= 0);
    REQUIRE(box.top + box.height <= kHeight);
    REQUIRE(box.left + box.width <= kWidth);
    const double area = static_cast<double>(box.height) * box.width / (kHeight * kWidth);
    const double aspect = std::log(static_cast<double>(box.width) / box.height);
    CHECK(area > 0.248);
    CHECK(std::abs(aspect) < std::log(4.0 / 3) + 0.004);
    if (area > 0.7) continue;  // below this any aspect fits, so nothing was refused
    ++accepted;
    area_sum += area;
    area_squares += area * area;
    aspect_sum += aspect;
    row_sum += static_cast<double>(box.top) / (kHeight - box.height);
    column_sum += static_cast<double>(box.left) / (kWidth - box.width);
  }
  REQUIRE(accepted > 8000);
  const double mean = area_sum / accepted;
  CHECK(mean == doctest::Approx((0.25 + 0.7) / 2).epsilon(0.01));
  CHECK(area_squares / accepted - mean * mean == doctest::Approx(0.45 * 0.45 / 12).epsilon(0.03));
  CHECK(std::abs(aspect_sum / accepted) < 0.005);
  CHECK(row_sum / accepted == doctest::Approx(0.5).epsilon(0.02));
  CHECK(column_sum / accepted == doctest::Approx(0.5).epsilon(0.02));
}

TEST_CASE("resized crop: a picture that no box fits gives the largest one at its centre") {
  for (int i = 0; i < 20; ++i) {
    const PixelBox wide = draw_resized_crop(30, 3000, 0.5, Key(1).child(i));
    CHECK(wide == PixelBox{.top = 0, .left = 1480, .height = 30, .width = 40});
    const PixelBox tall = draw_resized_crop(3000, 30, 0.5, Key(1).child(i));
    CHECK(tall == PixelBox{.top = 1480, .left = 0, .height = 40, .width = 30});
  }
  const PixelBox pixel = draw_resized_crop(1, 1, 0.08, Key(3));
  CHECK(pixel == PixelBox{0, 0, 1, 1});
}

TEST_CASE("resized crop: a view is the drawn box, resampled and flipped") {
  const auto views = make_resized_crop_views({.side = 24}, whole_views());
  CHECK(views->output_shape({0, 0, 3}) == std::vector<std::int64_t>{24, 24, 3});
  CHECK_FALSE(views->plan().has_value());
  int flips = 0;
  for (int i = 0; i < 40; ++i) {
    const Image image = smooth_image(20 + i, 50 - i / 2, i % 2 == 0 ? 3 : 1, Key(9).child(i));
    const Key key = Key(5).child(i);
    const auto got = first_view(*views, image, key);
    const PixelBox box = draw_resized_crop(image.height, image.width, 0.08, key.child("crop"));
    const auto want = resampled(image, box, 24, 24);
    const auto error = [&](bool flip) {
      double worst = 0;
      const auto channels = static_cast<std::size_t>(image.channels);
      for (std::size_t y = 0; y < 24; ++y)
        for (std::size_t x = 0; x < 24; ++x)
          for (std::size_t c = 0; c < channels; ++c)
            worst = std::max(worst, std::abs(got[(y * 24 + x) * channels + c] -
                                             want[(y * 24 + (flip ? 23 - x : x)) * channels + c]));
      return worst;
    };
    const bool flip = key.child("flip").uniform(0) < 0.5;
    flips += flip ? 1 : 0;
    CHECK(error(flip) < 1.01);
  }
  CHECK(flips > 8);
  CHECK(flips < 32);
}

TEST_CASE("resized crop: other views are made of the crop") {
  const Image image = smooth_image(40, 60, 3, Key(2));
  const ResizedCropOptions options{.side = 16, .area_low = 0.3, .flip = false};
  const auto augmented = [] {
    return make_augmix_views({.padding = 0, .flip = false}, AugMixOptions{}, true, 2, kBytes);
  };
  const auto views = make_resized_crop_views(options, augmented());
  CHECK(views->count() == 3);
  Image crop;
  Scratch scratch;
  bilinear_resize(image, draw_resized_crop(40, 60, 0.3, Key(7).child("crop")), 16, 16, scratch, crop);
  CHECK(first_view(*views, image, Key(7)) == first_view(*augmented(), crop, Key(7)));
}

TEST_CASE("resized crop: refusals") {
  CHECK_THROWS_AS(make_resized_crop_views({.side = 0}, whole_views()), ConfigError);
  CHECK_THROWS_AS(make_resized_crop_views({.area_low = 0}, whole_views()), ConfigError);
  CHECK_THROWS_AS(make_resized_crop_views({.area_low = 1.5}, whole_views()), ConfigError);
  CHECK_THROWS_AS(make_resized_crop_views({}, nullptr), ConfigError);
  CHECK_THROWS_AS(draw_resized_crop(0, 3, 0.08, Key(1)), ShapeError);
}

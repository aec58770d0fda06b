#include "augment/views.h"

#include <cmath>
#include <map>
#include <string>
#include <thread>

#include "augment/image_ops.h"
#include "augment/policies/auto_augment.h"
#include "engine/error.h"
#include "tests/augment/images.h"
#include "tests/golden.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

using Outputs = std::vector<std::vector<float>>;

Outputs made(const Views& views, const Image& image, Key key) {
  Outputs outputs(static_cast<std::size_t>(views.count()), std::vector<float>(image.pixels.size(), NAN));
  std::vector<float*> pointers;
  for (auto& output : outputs) pointers.push_back(output.data());
  views.make(image, key, pointers);
  return outputs;
}

/// Undoes the default normalisation.
Image image_from(const std::vector<float>& values, const Image& like) {
  Image image(like.height, like.width, like.channels);
  for (std::size_t i = 0; i < values.size(); ++i)
    image.pixels[i] = static_cast<std::uint8_t>(std::lround((values[i] * 0.5f + 0.5f) * 255));
  return image;
}

std::string bytes_of(const Image& image) {
  return {image.pixels.begin(), image.pixels.end()};
}

}  // namespace

TEST_CASE("plain views are the normalised image") {
  const Normalization normalization{{0.1f, 0.5f, 0.9f}, {0.2f, 0.4f, 0.5f}};
  const Image image = random_image(4, 5, 3, Key(1));
  const auto views = make_plain_views(normalization);
  CHECK(views->count() == 1);
  const auto out = made(*views, image, Key(7))[0];
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double want = (image.pixels[i] / 255.0 - normalization.mean[i % 3]) / normalization.stddev[i % 3];
    CHECK(out[i] == doctest::Approx(want).epsilon(1e-5));
  }
  const Image grey = random_image(3, 3, 1, Key(1));
  CHECK(made(*views, grey, Key(1))[0][4] ==
        doctest::Approx((grey.pixels[4] / 255.0 - 0.1) / 0.2).epsilon(1e-5));
}

TEST_CASE("crops and flips cover all places evenly, in the order asked for") {
  for (const bool flip_first : {true, false}) {
    const Image image = random_image(6, 6, 3, Key(2));
    CropFlipOptions options;
    options.padding = 1;
    options.flip_first = flip_first;
    const auto views = make_crop_flip_views(options, {});
    std::map<std::string, int> seen;  // by the image's bytes
    for (int i = 0; i < 3600; ++i) ++seen[bytes_of(image_from(made(*views, image, Key(i))[0], image))];
    CHECK(seen.size() == 18);
    Image flipped, out;
    flip_horizontal(image, flipped);
    for (const Image& source : {image, flipped}) {
      for (int top = 0; top < 3; ++top) {
        for (int left = 0; left < 3; ++left) {
          pad_crop(source, out, 1, top, left);
          CHECK(std::abs(seen[bytes_of(out)] - 200) < 70);
        }
      }
    }
  }
}

TEST_CASE("flip before crop or after: the same draws, another composition") {
  const Image image = random_image(6, 6, 3, Key(2));
  CropFlipOptions before, after;
  after.flip_first = false;
  const auto a = make_crop_flip_views(before, {}), b = make_crop_flip_views(after, {});
  int equal = 0;
  for (int i = 0; i < 200; ++i) equal += made(*a, image, Key(i)) == made(*b, image, Key(i));
  CHECK(equal > 80);  // without a flip the order does not matter
  CHECK(equal < 150);
}

TEST_CASE("padding 0 and no flip leave the image alone; copies are equal") {
  CropFlipOptions options;
  options.padding = 0;
  options.flip = false;
  const Image image = random_image(6, 6, 3, Key(2));
  const auto out = made(*make_crop_flip_views(options, {}, 3), image, Key(3));
  CHECK(out.size() == 3);
  CHECK(image_from(out[0], image) == image);
  CHECK(out[0] == out[1]);
  CHECK(out[0] == out[2]);
}

TEST_CASE("AugMix views share the crop/flip image and differ from each other") {
  const Image image = smooth_image(32, 32, 3, Key(2));
  const auto clean = make_crop_flip_views({}, {});
  const auto three = make_augmix_views({}, {}, true, 2, {}), two = make_augmix_views({}, {}, false, 2, {});
  CHECK(three->count() == 3);
  CHECK(two->count() == 2);
  int equal = 0;
  for (int i = 0; i < 50; ++i) {
    const auto views = made(*three, image, Key(i));
    CHECK(views[0] == made(*clean, image, Key(i))[0]);
    const auto without = made(*two, image, Key(i));
    CHECK(views[1] == without[0]);
    CHECK(views[2] == without[1]);
    equal += views[1] == views[2] || views[0] == views[1];
  }
  CHECK(equal == 0);
}

TEST_CASE("jitter, rotation and policy are drawn once for all views of an image, and keep the GPU away") {
  const Image image = smooth_image(32, 32, 3, Key(2));
  const ImageSteps steps{.jitter = 0.25, .rotation = 2, .policy = cifar_auto_augment()};
  ViewsPlan plan;
  plan.augmented = 2;
  CHECK(make_planned_views(plan)->plan().has_value());
  const auto views = make_planned_views(plan, steps), crop_flip = make_crop_flip_views({}, {});
  CHECK_FALSE(views->plan().has_value());
  CHECK_FALSE(make_planned_views(plan, {.jitter = 0.1})->plan().has_value());
  for (int i = 0; i < 20; ++i) {
    const Key key(static_cast<std::uint64_t>(i));
    const Outputs seen = made(*views, image, key);
    const Image base = image_from(made(*crop_flip, image, key)[0], image);
    const Image stepped = apply_image_steps(steps, base, key);
    CHECK(image_from(seen[0], image) == stepped);
    std::vector<float> mixture(image.pixels.size());
    augmix(stepped, key.child("augmix").child(2), {}, {}, mixture.data());
    CHECK(seen[2] == mixture);
  }
}

TEST_CASE("AugMax views: clean, one AugMix mixture, then the chains of an independent draw") {
  const Image image = smooth_image(32, 32, 3, Key(2));
  AugMixOptions options;
  options.random_severity = true;
  const auto views = make_augmax_views({}, options, {}), mixed = make_augmix_views({}, options, true, 1, {});
  CHECK(views->count() == 5);
  CHECK_FALSE(views->plan().has_value());
  int equal = 0;
  for (int i = 0; i < 20; ++i) {
    const Key key(static_cast<std::uint64_t>(i));
    const Outputs seen = made(*views, image, key), two = made(*mixed, image, key);
    CHECK(seen[0] == two[0]);
    CHECK(seen[1] == two[1]);
    const Image clean = image_from(seen[0], image);
    AugMixDraw draw, other;
    draw_augmix(options, key.child("augmax"), draw);
    draw_augmix(options, key.child("augmix").child(1), other);
    equal += draw.skip == other.skip;
    Image result, spare;
    for (std::size_t c = 0; c < 3; ++c) {
      run_chain(clean, draw.chains[c], result, spare);
      CHECK(image_from(seen[2 + c], image) == result);
    }
  }
  CHECK(equal == 0);
  options.width = 4;
  CHECK(make_augmax_views({}, options, {})->count() == 6);
}

TEST_CASE("views are a pure function of image and key, on any thread") {
  const auto views =
      make_augmax_views({}, {}, {}, {.jitter = 0.25, .rotation = 5, .policy = cifar_auto_augment()});
  for (const int channels : {1, 3}) {
    std::vector<Outputs> serial, parallel(40);
    const auto one = [&](int i) {
      return made(*views, smooth_image(28, 28 + i % 3, channels, Key(i)), Key(i));
    };
    for (int i = 0; i < 40; ++i) serial.push_back(one(i));
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (int i = 39 - t; i >= 0; i -= 4) parallel[static_cast<std::size_t>(i)] = one(i);
      });
    for (auto& thread : threads) thread.join();
    CHECK(serial == parallel);
  }
}

TEST_CASE("wrong settings are named") {
  CropFlipOptions crop_flip;
  crop_flip.padding = -1;
  CHECK_THROWS_AS(make_crop_flip_views(crop_flip, {}), ConfigError);
  CHECK_THROWS_AS(make_crop_flip_views({}, {}, 0), ConfigError);
  CHECK_THROWS_AS(make_augmix_views({}, {}, false, 0, {}), ConfigError);
  AugMixOptions augmix;
  augmix.severity = 12;
  CHECK_THROWS_AS(make_augmix_views({}, augmix, true, 2, {}), ConfigError);
  CHECK_THROWS_AS(make_augmax_views({}, augmix, {}), ConfigError);
  CHECK_THROWS_AS(make_planned_views({}, {.jitter = 2}), ConfigError);
  const Image image(4, 4, 3);
  CHECK_THROWS_AS(make_plain_views({})->make(image, Key(1), {}), ShapeError);
}

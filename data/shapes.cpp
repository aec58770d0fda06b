#include "data/shapes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "data/memory_dataset.h"
#include "data/shape_outlines.h"
#include "data/shape_textures.h"
#include "engine/cpu/parallel.h"
#include "engine/error.h"
#include "engine/key.h"

namespace noisymix {
namespace {

using Color = std::array<double, 3>;  // red, green, blue in [0, 1]

constexpr double kFavouriteShare = 0.75;    // how often a class wears its own texture
constexpr double kFavouriteHueShare = 0.6;  // how often a class wears its own hue, give or take
constexpr double kHueSpread = 0.35;         // of that hue; classes are 0.6 apart on a circle of 6
constexpr double kLargestTilt = 0.4;        // radians by which a shape leans
constexpr double kLeastContrast = 0.2;      // between the mean colours of shape and ground

/// An outline somewhere in the picture.
struct Placed {
  int outline = 0;
  double x = 16, y = 16, radius = 8, cosine = 1, sine = 0;

  /// Share of the pixel centred at (px, py) that is inside: a straight border through a pixel is a good
  /// approximation.
  double coverage(double px, double py) const {
    const double dx = (px - x) / radius, dy = (py - y) / radius;
    if (dx * dx + dy * dy > 2.2) return 0;  // no outline reaches beyond 1.3 radii
    const double distance = outline_distance(outline, cosine * dx + sine * dy, cosine * dy - sine * dx);
    return std::clamp(0.5 - distance * radius, 0.0, 1.0);
  }
};

/// Mean colour with a texture that pulls it up and down.
struct Paint {
  Color color{};
  Color swing{};  ///< added at texture value 1, subtracted at -1
  Texture texture;

  Color at(double x, double y) const {
    const double value = texture_value(texture, x, y);
    return {color[0] + value * swing[0], color[1] + value * swing[1], color[2] + value * swing[2]};
  }
};

struct Scene {
  Paint ground, figure;
  Placed shape;
  double light_x = 0, light_y = 0;  ///< brightness change from the middle to the right and lower edges
  double shadow = 0, shadow_x = 0, shadow_y = 0;
  std::vector<std::pair<Placed, Color>> behind, before;  ///< distractors
};

/// Hue in [0, 6), red at 0, green at 2, blue at 4.
Color make_color(double hue, double saturation, double value) {
  Color color;
  for (int c = 0; c < 3; ++c) {
    // Distance on the hue circle from the channel's own hue: 0 full, 2 and more none.
    const double apart = std::abs(std::remainder(hue - 2 * c, 6.0));
    color[static_cast<std::size_t>(c)] = value * (1 - saturation * std::clamp(apart - 1, 0.0, 1.0));
  }
  return color;
}

/// Any colour: of distractors.
Color draw_color(Draws& draws) {
  const double hue = 6 * draws.uniform(), saturation = 0.1 + 0.6 * draws.uniform();
  return make_color(hue, saturation, 0.25 + 0.65 * draws.uniform());
}

/// A dull colour: of grounds.
Color draw_ground_color(Draws& draws) {
  const double hue = 6 * draws.uniform(), saturation = 0.05 + 0.3 * draws.uniform();
  return make_color(hue, saturation, 0.25 + 0.6 * draws.uniform());
}

/// A fresh colour, more often than not of the class's own hue.
Color draw_figure_color(int label, Draws& draws) {
  const bool favourite = draws.uniform() < kFavouriteHueShare;
  const double spread = kHueSpread * draws.normal(), any = 6 * draws.uniform();
  const double hue = favourite ? 0.6 * label + spread : any;
  const double saturation = 0.35 + 0.5 * draws.uniform();
  return make_color(hue, saturation, 0.35 + 0.6 * draws.uniform());
}

double contrast(const Color& a, const Color& b) {
  return std::sqrt(
      ((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) + (a[2] - b[2]) * (a[2] - b[2])) / 3);
}

Color draw_swing(Draws& draws, double least, double most) {
  const double strength = least + (most - least) * draws.uniform();
  Color swing;
  for (double& channel : swing) channel = strength * (0.6 + 0.4 * draws.uniform());
  return swing;
}

Placed draw_place(int outline, double margin, double least_radius, double most_radius, double tilt,
                  Draws& draws) {
  Placed place;
  place.outline = outline;
  place.radius = least_radius + (most_radius - least_radius) * draws.uniform();
  const double room = std::max(0.0, kShapeSide / 2.0 - margin * place.radius);
  place.x = kShapeSide / 2.0 + room * (2 * draws.uniform() - 1);
  place.y = kShapeSide / 2.0 + room * (2 * draws.uniform() - 1);
  const double angle = tilt * (2 * draws.uniform() - 1);
  place.cosine = std::cos(angle);
  place.sine = std::sin(angle);
  return place;
}

Scene draw_scene(int label, Key key) {
  Draws draws(key.child("scene"));
  Scene scene;
  const bool favourite = draws.uniform() < kFavouriteShare;
  const int worn = static_cast<int>(draws.below(kTextures)),
            ground = static_cast<int>(draws.below(kTextures));
  scene.figure.texture = draw_texture(favourite ? label : worn, 2.9, 4.2, key.child("figure"));
  scene.ground.texture = draw_texture(ground, 2.9, 7.5, key.child("ground"));
  scene.ground.color = draw_ground_color(draws);
  do {
    scene.figure.color = draw_figure_color(label, draws);
  } while (contrast(scene.figure.color, scene.ground.color) < kLeastContrast);
  scene.figure.swing = draw_swing(draws, 0.07, 0.17);
  scene.ground.swing = draw_swing(draws, 0.03, 0.1);
  scene.shape = draw_place(label, 0.95, 8.0, 13.0, kLargestTilt, draws);
  scene.light_x = 0.2 * (2 * draws.uniform() - 1);
  scene.light_y = 0.2 * (2 * draws.uniform() - 1);
  scene.shadow = 0.45 * draws.uniform();
  const double shadow_angle = 2 * std::numbers::pi * draws.uniform();
  scene.shadow_x = 1.6 * std::cos(shadow_angle);
  scene.shadow_y = 1.6 * std::sin(shadow_angle);
  // Small discs, squares and crosses lie about; now and then one covers a bit of the shape.
  constexpr int kinds[] = {0, 3, 5};
  for (std::int64_t i = draws.below(4); i > 0; --i) {
    const Placed place = draw_place(kinds[draws.below(3)], 0.0, 1.5, 3.5, std::numbers::pi, draws);
    scene.behind.emplace_back(place, draw_color(draws));
  }
  if (draws.uniform() < 0.35) {
    const Placed place = draw_place(kinds[draws.below(3)], 0.0, 1.2, 2.6, std::numbers::pi, draws);
    scene.before.emplace_back(place, draw_color(draws));
  }
  return scene;
}

void blend(Color& below, const Color& above, double share) {
  for (std::size_t c = 0; c < 3; ++c) below[c] += share * (above[c] - below[c]);
}

Color pixel_color(const Scene& scene, double x, double y) {
  const double covered = scene.shape.coverage(x, y);
  Color color{};
  if (covered < 1) {
    color = scene.ground.at(x, y);
    for (const auto& [place, paint] : scene.behind) blend(color, paint, place.coverage(x, y));
    blend(color, {0, 0, 0}, scene.shadow * scene.shape.coverage(x - scene.shadow_x, y - scene.shadow_y));
  }
  if (covered > 0) blend(color, scene.figure.at(x, y), covered);
  for (const auto& [place, paint] : scene.before) blend(color, paint, place.coverage(x, y));
  constexpr double half = kShapeSide / 2.0;
  const double light = 1 + scene.light_x * (x - half) / half + scene.light_y * (y - half) / half;
  for (double& channel : color) channel *= light;
  return color;
}

}  // namespace

const std::vector<std::string>& shape_names() {
  static const std::vector<std::string> names = {"disc",  "ring",     "triangle", "square", "star",
                                                 "cross", "crescent", "hexagon",  "heart",  "arrow"};
  return names;
}

Image draw_shape(std::uint64_t seed, bool train, std::int64_t index) {
  const Key key = Key(seed).child("shapes").child(train ? "train" : "test").child(index);
  const Scene scene = draw_scene(static_cast<int>(index % kOutlines), key);
  Image image(kShapeSide, kShapeSide, 3);
  std::uint8_t* out = image.pixels.data();
  for (int y = 0; y < kShapeSide; ++y)
    for (int x = 0; x < kShapeSide; ++x)
      for (const double channel : pixel_color(scene, x + 0.5, y + 0.5))
        *out++ = static_cast<std::uint8_t>(std::lround(255 * std::clamp(channel, 0.0, 1.0)));
  return image;
}

std::shared_ptr<const Dataset> make_shapes(std::uint64_t seed, bool train, std::int64_t count) {
  NM_CHECK_AS(ConfigError, count >= 0 && count <= 10'000'000, "shapes: count is ", count,
              ", expected 0 to 1e7");
  if (count == 0) count = train ? kShapesTrain : kShapesTest;
  MemoryImages content{.height = kShapeSide, .width = kShapeSide, .channels = 3};
  content.pixels.resize(static_cast<std::size_t>(count) * content.image_bytes());
  content.labels.resize(static_cast<std::size_t>(count));
  cpu::parallel_for(count, 32, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const Image image = draw_shape(seed, train, i);
      const auto place = static_cast<std::size_t>(i);
      std::copy(image.pixels.begin(), image.pixels.end(),
                content.pixels.data() + place * content.image_bytes());
      content.labels[place] = i % kOutlines;
    }
  });
  content.class_names = shape_names();
  content.description = std::string("built-in textured shapes, ") + (train ? "train" : "test") +
                        " split, seed " + std::to_string(seed);
  return make_memory_dataset(std::move(content));
}

}  // namespace noisymix

#include "augment/corruptions/ice.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "augment/filters/plasma.h"
#include "augment/filters/random_fields.h"
#include "engine/key.h"

namespace noisymix {

namespace {

/// How one picture looks.
struct Ice {
  int height, width;
  double red, green, blue;  ///< means of the channels
  double deviation;         ///< of the brightness
  double decay;             ///< of the noise below the crystals; smaller is rougher
  double crystals, grain;   ///< contrast of crystals and of single pixels, relative to the noise's
  int feathers;             ///< number of stems
  double length;            ///< of a stem, pixels
  double spacing;           ///< of the branches along a stem, pixels
  double bend;              ///< how fast stems turn, radians per pixel
};

// Sizes and means follow crops of the photographs of which test values exist; deviations give parts of 64 x
// 64 pixels about the contrast of those crops.
constexpr Ice kIce[] = {
    {600, 900, 71, 144, 161, 15.5, 1.45, 1.8, .7, 260, 110, 5, .010},
    {315, 560, 190, 194, 203, 26, 1.5, 1.6, .6, 95, 90, 6, .004},
    {315, 560, 203, 207, 217, 18.5, 1.6, 1.8, .5, 50, 160, 7, .008},
    {350, 525, 142, 157, 170, 31, 1.5, 1.8, .8, 130, 70, 5, .015},
    {495, 660, 90, 101, 113, 40, 1.45, 1.6, .7, 110, 140, 6, .006},
};

struct Direction {
  double x, y;
  /// Turned by the angle whose tangent is `tangent`. Only square roots: every machine's are the same, unlike
  /// its sines.
  Direction turned(double tangent) const {
    const double u = x - tangent * y, v = y + tangent * x, length = std::sqrt(u * u + v * v);
    return {u / length, v / length};
  }
};

constexpr double kSixtyDegrees = 1.7320508075688772;  // their tangent

/// Crystals on a dark ground. Lines are drawn by their brightest value at each pixel, so that crossings do
/// not add up.
class Crystals {
 public:
  Crystals(int height, int width, Key key)
      : height_(height),
        width_(width),
        draws_(key),
        field_(static_cast<std::size_t>(height) * static_cast<std::size_t>(width)) {}

  std::vector<float>& field() { return field_; }

  /// A stem from a random place, with branches to both sides and twigs on those.
  void grow_feather(const Ice& ice) {
    const double x = draws_.uniform() * width_, y = draws_.uniform() * height_;
    Direction direction{1, 0};
    do {
      direction = {2 * draws_.uniform() - 1, 2 * draws_.uniform() - 1};
    } while (direction.x * direction.x + direction.y * direction.y < 0.1);
    direction = direction.turned(0);
    const double bend = ice.bend * (2 * draws_.uniform() - 1);
    const double length = ice.length * (0.4 + draws_.uniform()), brightness = 0.6 + 0.4 * draws_.uniform();
    grow(x, y, direction, length, ice.spacing, bend, brightness, 2);
  }

 private:
  void grow(double x, double y, Direction direction, double length, double spacing, double bend,
            double brightness, int generations) {
    double to_next = spacing * draws_.uniform();
    for (double gone = 0; gone < length; gone += kStep) {
      const double rest = 1 - gone / length;
      dab(x, y, brightness * (0.35 + 0.65 * rest));
      x += direction.x * kStep;
      y += direction.y * kStep;
      direction = direction.turned(bend * kStep + 0.06 * (draws_.uniform() - 0.5));
      to_next -= kStep;
      if (to_next > 0 || generations == 0) continue;
      to_next = spacing * (0.5 + draws_.uniform());
      for (const double side : {-1.0, 1.0}) {
        const double reach = (0.15 + 0.35 * draws_.uniform()) * length * (0.2 + 0.8 * rest);
        grow(x, y, direction.turned(side * kSixtyDegrees * (0.8 + 0.3 * draws_.uniform())), reach,
             0.7 * spacing, 0.5 * bend, 0.85 * brightness, generations - 1);
      }
    }
  }

  /// A dot a little more than a pixel wide.
  void dab(double x, double y, double brightness) {
    const int left = static_cast<int>(std::floor(x)), top = static_cast<int>(std::floor(y));
    for (int j = top; j <= top + 1; ++j) {
      for (int i = left; i <= left + 1; ++i) {
        if (i < 0 || j < 0 || i >= width_ || j >= height_) continue;
        const double away_x = x - i, away_y = y - j;
        const double share = 1 - 0.55 * (away_x * away_x + away_y * away_y);
        float& value = field_[static_cast<std::size_t>(j) * static_cast<std::size_t>(width_) +
                              static_cast<std::size_t>(i)];
        value = std::max(value, static_cast<float>(brightness * share));
      }
    }
  }

  static constexpr double kStep = 0.8;
  int height_, width_;
  Draws draws_;
  std::vector<float> field_;
};

/// To mean 0 and variance 1.
void standardise(std::vector<float>& values) {
  double sum = 0, squares = 0;
  for (const float v : values) sum += static_cast<double>(v);
  const double mean = sum / static_cast<double>(values.size());
  for (const float v : values) squares += (static_cast<double>(v) - mean) * (static_cast<double>(v) - mean);
  const double scale = 1 / std::sqrt(std::max(squares / static_cast<double>(values.size()), 1e-12));
  for (float& v : values) v = static_cast<float>((static_cast<double>(v) - mean) * scale);
}

std::vector<float> rough_noise(const Ice& ice, Key key, Scratch& scratch) {
  int side = 2;
  while (side < std::max(ice.height, ice.width)) side *= 2;
  std::vector<float> amounts(plasma_amounts(side));
  std::vector<float> grid(static_cast<std::size_t>(side) * static_cast<std::size_t>(side));
  draw_plasma(key, side, ice.decay, amounts);
  plasma_fractal<float>(amounts, side, grid.data(), scratch);
  std::vector<float> noise;
  noise.reserve(static_cast<std::size_t>(ice.height) * static_cast<std::size_t>(ice.width));
  for (int y = 0; y < ice.height; ++y)
    noise.insert(noise.end(), grid.begin() + y * side, grid.begin() + y * side + ice.width);
  return noise;
}

Image ice_picture(const Ice& ice, Key key) {
  Scratch scratch;
  std::vector<float> brightness = rough_noise(ice, key.child("noise"), scratch);
  standardise(brightness);
  Crystals crystals(ice.height, ice.width, key.child("crystals"));
  for (int i = 0; i < ice.feathers; ++i) crystals.grow_feather(ice);
  standardise(crystals.field());
  std::vector<float> grain(brightness.size());
  fill_uniform(key.child("grain"), grain);
  standardise(grain);
  for (std::size_t i = 0; i < brightness.size(); ++i)
    brightness[i] +=
        static_cast<float>(ice.crystals) * crystals.field()[i] + static_cast<float>(ice.grain) * grain[i];
  standardise(brightness);

  Image picture(ice.height, ice.width, 3);
  const double means[3] = {ice.red, ice.green, ice.blue};
  const double contrasts[3] = {1.05, 1, 0.97};  // brighter ice is whiter
  for (std::size_t i = 0; i < brightness.size(); ++i) {
    for (std::size_t c = 0; c < 3; ++c) {
      const double v = means[c] + contrasts[c] * ice.deviation * static_cast<double>(brightness[i]);
      picture.pixels[3 * i + c] = static_cast<std::uint8_t>(std::clamp(v, 0.0, 255.0));
    }
  }
  return picture;
}

}  // namespace

std::vector<Image> ice_pictures() {
  std::vector<Image> pictures;
  const Key key = Key(0x1CE).child("ice");
  for (const Ice& ice : kIce)
    pictures.push_back(ice_picture(ice, key.child(static_cast<std::int64_t>(pictures.size()))));
  return pictures;
}

}  // namespace noisymix

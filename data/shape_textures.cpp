#include "data/shape_textures.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/error.h"

namespace noisymix {
namespace {

constexpr double kTurn = 2 * std::numbers::pi;

/// A sine with flattened tops: nearly two-valued, without the hard edges that would alias.
double soften(double s) {
  return s * (1.5 - 0.5 * s * s);
}

double wave(double t) {
  return soften(std::sin(kTurn * t));
}

/// Random values on a lattice, joined smoothly.
double lattice_noise(const Key& key, double u, double v) {
  const double fu = std::floor(u), fv = std::floor(v);
  const auto corner = [&](int du, int dv) {
    // 2048 lattice columns are far more than a picture has.
    const auto cell =
        (static_cast<std::int64_t>(fv) + dv + 1024) * 2048 + static_cast<std::int64_t>(fu) + du + 1024;
    return static_cast<double>(key.block(static_cast<std::uint64_t>(cell))[0]) * 0x1p-31 - 1;
  };
  const auto smooth = [](double t) { return t * t * (3 - 2 * t); };
  const double a = smooth(u - fu), b = smooth(v - fv);
  return (1 - b) * ((1 - a) * corner(0, 0) + a * corner(1, 0)) +
         b * ((1 - a) * corner(0, 1) + a * corner(1, 1));
}

}  // namespace

Texture draw_texture(int which, double shortest_period, double longest_period, Key key) {
  Draws draws(key.child("place"));
  Texture texture;
  texture.which = which;
  texture.period = shortest_period + (longest_period - shortest_period) * draws.uniform();
  const double angle = kTurn * draws.uniform();
  texture.cosine = std::cos(angle);
  texture.sine = std::sin(angle);
  texture.shift_x = 32 * draws.uniform();
  texture.shift_y = 32 * draws.uniform();
  texture.grain = key.child("grain");
  return texture;
}

double texture_value(const Texture& texture, double x, double y) {
  const double px = x - texture.shift_x, py = y - texture.shift_y;
  const double u = (texture.cosine * px + texture.sine * py) / texture.period;
  const double v = (texture.cosine * py - texture.sine * px) / texture.period;
  switch (texture.which) {
    case 0:
      return wave(u);  // stripes
    case 1:
      return soften(std::sin(kTurn * u) * std::sin(kTurn * v));  // checks
    case 2:
      return soften(std::max(std::cos(kTurn * u) + std::cos(kTurn * v), 0.0) - 1);  // dots
    case 3:
      return wave(std::hypot(u, v));  // rings
    case 4:
      return wave(u + 0.35 * std::sin(kTurn * 0.6 * v));  // waves
    case 5:
      return 1 - 2 * std::max(0.5 + 0.5 * std::cos(kTurn * u), 0.5 + 0.5 * std::cos(kTurn * v));  // grid
    case 6:
      return lattice_noise(texture.grain, 3 * u, 3 * v);  // grain
    case 7:
      return soften(lattice_noise(texture.grain, u, v));  // patches
    case 8:
      return wave(std::round(60 / texture.period) / kTurn * std::atan2(v, u));  // spokes
    case 9: {                                                                   // bricks
      const double row = std::floor(1.4 * v), along = u + 0.5 * std::fmod(std::abs(row), 2.0);
      const double joint = std::max(std::cos(kTurn * 1.4 * v), 0.7 * std::cos(kTurn * along));
      return 1 - 2 * std::max(joint, 0.0);
    }
    default:
      NM_ASSERT(false && "unknown texture");
  }
  return 0;
}

}  // namespace noisymix

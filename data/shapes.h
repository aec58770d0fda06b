// The built-in picture set: textured shapes on textured grounds, drawn from a seed, so that everything can be
// tried without a download.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace noisymix {

constexpr int kShapeSide = 32;
constexpr std::int64_t kShapesTrain = 8000, kShapesTest = 2000;

/// The ten classes: disc, ring, triangle, square, star, cross, crescent, hexagon, heart, arrow.
const std::vector<std::string>& shape_names();

/// Picture `index` of a split, 32x32 RGB: a pure function of its arguments. Its class is index mod 10. The
/// outline always tells the class. Each class also has a favourite fine texture, right three times in four,
/// and a favourite hue, right six times in ten: easy to learn, and the first things to go under noise, so
/// that a network leaning on them is not robust.
Image draw_shape(std::uint64_t seed, bool train, std::int64_t index);

/// A split of `count` pictures (0: 8000 train, 2000 test), drawn on all threads.
std::shared_ptr<const Dataset> make_shapes(std::uint64_t seed, bool train, std::int64_t count = 0);

}  // namespace noisymix

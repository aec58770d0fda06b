// Copies of a tree of pictures in the styles of others.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "models/adain.h"

namespace noisymix {

struct StylizeOptions {
  std::filesystem::path content, styles, encoder, decoder, out;
  double alpha = 1;      ///< strength, 0 to 1
  int style_side = 512;  ///< shorter side that styles are brought to
  std::uint64_t seed = 0;
  Device device{};
  AdaInOptions network{};
  std::function<void(std::int64_t done, std::int64_t total)> progress{};
  std::function<bool()> should_stop{};
};

struct StylizeResult {
  std::int64_t written = 0, there = 0;  ///< pictures made now, and found from an earlier run
  std::int64_t unreadable_styles = 0;   ///< draws that were repeated because the style could not be read
  bool finished = true;
};

/// Writes out/FOLDERS/NAME.png for every picture content/FOLDERS/NAME.* at any depth, of the same size, so
/// that the two trees pair by folder and name. The style of a picture is drawn with a key of seed and its
/// path, among all pictures below `styles`. Pictures that are there stay; out/stylize.json says what they
/// were made of, and another choice is refused with ConfigError. Throws DataError for unreadable content or
/// weights.
StylizeResult stylize_tree(const StylizeOptions& options);

}  // namespace noisymix

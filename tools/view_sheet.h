// The views that a configuration trains on, as one picture.
#pragma once

#include <cstdint>

#include "augment/image.h"
#include "tools/config.h"

namespace noisymix {

struct ViewSheetOptions {
  int images = 8;  ///< rows: the first training examples
  int epochs = 1;  ///< columns: views of so many epochs, beginning with the first
  int scale = 3;   ///< pixels per pixel
};

/// A row per image: the original, then its views in each epoch, before normalisation: exactly what a training
/// run with this configuration sees. Throws DataError for points, ConfigError for options out of range.
Image make_view_sheet(const Config& config, const ViewSheetOptions& options);

}  // namespace noisymix

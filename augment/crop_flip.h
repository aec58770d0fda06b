// The draws of the crop/flip image, one definition for the CPU and the GPU.
#pragma once

#include "augment/views.h"
#include "engine/host_device.h"
#include "engine/key.h"

namespace noisymix {

struct CropFlipDraw {
  int top, left;  ///< corner of the crop in the padded image
  bool flip;
};

/// "crop" block 0 is the row, block 1 the column; "flip" block 0 mirrors below 1/2.
NM_HOST_DEVICE inline CropFlipDraw draw_crop_flip(const CropFlipOptions& options, Key key) {
  const Key crop = key.child("crop");
  const std::int64_t places = 2 * std::int64_t{options.padding} + 1;
  const bool cropped = options.padding > 0;
  return {cropped ? static_cast<int>(crop.below(0, places)) : 0,
          cropped ? static_cast<int>(crop.below(1, places)) : 0,
          options.flip && key.child("flip").uniform(0) < 0.5};
}

}  // namespace noisymix

// The random resized crop of ImageNet training: a box of random area and shape, brought to one size.
#pragma once

#include <memory>

#include "augment/filters/bilinear_resize.h"
#include "augment/views.h"
#include "engine/key.h"

namespace noisymix {

struct ResizedCropOptions {
  int side = 224;          ///< of the square views
  double area_low = 0.08;  ///< share of the image's area is uniform on [area_low, 1)
  bool flip = true;        ///< mirror half of the images, after the crop
};

/// The box of an image: area share U(area_low, 1), log-aspect U(log 3/4, log 4/3), place uniform. A box that
/// does not fit is drawn again, ten times in all; then it is the largest one at the centre within these
/// aspects. Draw t uses blocks t of key.child("area") and key.child("aspect"), the place block 0 of
/// key.child("row") and key.child("column").
PixelBox draw_resized_crop(int height, int width, double area_low, Key key);

/// Views of images of any size, each side x side: `inner` makes them from the crop, resized and flipped
/// (keys "crop" and "flip", as crop_flip.h). `inner` should neither crop nor flip itself. There is no plan:
/// images of different sizes do not lie on a device. Throws ConfigError for an option out of range.
std::unique_ptr<Views> make_resized_crop_views(const ResizedCropOptions& options,
                                               std::unique_ptr<Views> inner);

}  // namespace noisymix

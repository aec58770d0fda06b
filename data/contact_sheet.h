// Many small images as one picture.
#pragma once

#include <vector>

#include "augment/image.h"
#include "data/dataset.h"

namespace noisymix {

/// Images of one size in a grid, row by row, each magnified `scale` times, with a thin white grid between
/// them. An image without pixels leaves its cell white. Throws ConfigError for a wrong number of images,
/// DataError when the picture would be too large.
Image tile_images(const std::vector<Image>& images, int rows, int cols, int scale);

/// The first rows * cols images of a set, one class per row when there are as many rows as classes, each
/// magnified `scale` times, with a thin white grid between them. Throws DataError for sets without images.
Image make_contact_sheet(const Dataset& dataset, int rows, int cols, int scale);

}  // namespace noisymix

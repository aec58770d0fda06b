// Many small images as one picture.
#pragma once

#include "augment/image.h"
#include "data/dataset.h"

namespace noisymix {

/// The first rows * cols images of a set, one class per row when there are as many rows as classes, each
/// magnified `scale` times, with a thin white grid between them. Throws DataError for sets without images.
Image make_contact_sheet(const Dataset& dataset, int rows, int cols, int scale);

}  // namespace noisymix

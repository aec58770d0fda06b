// The check of a network's input, so that too small an image is one clear error and no failure somewhere
// inside.
#pragma once

#include <cstdint>

#include "engine/error.h"
#include "engine/tensor.h"

namespace noisymix {

/// ShapeError unless x is a batch of images [n, h, w, c] with h, w >= smallest.
inline void check_image_input(const char* network, const Tensor& x, std::int64_t smallest) {
  NM_CHECK(x.rank() == 4, "[", network, "] expects images [n, h, w, channels], got ", x.shape());
  NM_CHECK(x.dim(1) >= smallest && x.dim(2) >= smallest, "[", network, "] images of ", x.dim(1), " x ",
           x.dim(2), " are too small, this network needs at least ", smallest, " x ", smallest, " pixels");
}

}  // namespace noisymix

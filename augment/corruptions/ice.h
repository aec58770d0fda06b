// Procedural pictures of frost on glass, for those who have no photographs of it.
#pragma once

#include <vector>

#include "augment/image.h"

namespace noisymix {

/// Five RGB pictures with the sizes of the benchmark's and with about their colour, brightness and contrast,
/// of crystals that branch over rough noise. The same bytes on every machine. Drawn anew by each call: about
/// a tenth of a second.
std::vector<Image> ice_pictures();

}  // namespace noisymix

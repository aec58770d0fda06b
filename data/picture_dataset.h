// Pictures, wherever their bytes lie, as a data set of squares.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "data/dataset.h"
#include "data/decoded_cache.h"
#include "data/encoded_pictures.h"

namespace noisymix {

/// Decodes a picture whenever it is asked for: shorter side to image_size, then the middle square; 0: all
/// pictures must agree in size. Throws DataError naming the picture.
std::shared_ptr<const Dataset> make_picture_dataset(std::shared_ptr<const EncodedPictures> pictures,
                                                    int image_size, bool fast_decode,
                                                    std::string description);

/// The same pictures, bit for bit, from a cache of decoded ones with shorter side options.side, which is
/// filled first where need be.
std::shared_ptr<const Dataset> make_cached(std::shared_ptr<const EncodedPictures> pictures,
                                           const CacheOptions& options, std::string description);

}  // namespace noisymix

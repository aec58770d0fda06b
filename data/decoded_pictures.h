// Data sets of encoded pictures, wherever their bytes lie: each decoded when it is asked for by a loader's
// worker, or read from a cache of decoded ones.
#pragma once

#include <memory>
#include <string>

#include "data/dataset.h"
#include "data/decoded_cache.h"
#include "data/encoded_pictures.h"

namespace noisymix {

enum class PictureSizes {
  any,     ///< sample_shape() is {0, 0, 3}; make_transformed() or views bring the pictures to one size
  equal,   ///< that of the first picture; get() refuses others
  square,  ///< the middle square of the wanted side
};

struct DecodeOptions {
  PictureSizes sizes = PictureSizes::equal;
  int side = 0;              ///< shorter side that pictures are resized to; 0 leaves them as they are
  bool fast_decode = false;  ///< decode JPEGs at a fraction of their size where `side` allows it
};

/// RGB images; grey is repeated. get() throws DataError naming the picture that cannot be decoded. Throws
/// DataError for a set without pictures, ConfigError for a side out of range.
std::shared_ptr<const Dataset> make_decoded_dataset(std::shared_ptr<const EncodedPictures> pictures,
                                                    const DecodeOptions& options, std::string description);

/// The same pictures, bit for bit, from a cache of decoded ones with shorter side cache.side, which is filled
/// first where need be.
std::shared_ptr<const Dataset> make_cached(std::shared_ptr<const EncodedPictures> pictures,
                                           PictureSizes sizes, const CacheOptions& cache,
                                           std::string description);

}  // namespace noisymix

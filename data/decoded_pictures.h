// A data set of encoded pictures, each decoded when it is asked for: what a loader's workers call.
#pragma once

#include <memory>
#include <string>

#include "data/dataset.h"
#include "data/encoded_pictures.h"

namespace noisymix {

enum class PictureSizes {
  any,    ///< sample_shape() is {0, 0, 3}; make_transformed() or views bring the pictures to one size
  equal,  ///< that of the first picture; get() refuses others
};

/// RGB images; grey is repeated. get() throws DataError naming the picture that cannot be decoded. Throws
/// DataError for a set without pictures.
std::shared_ptr<const Dataset> make_decoded_dataset(std::shared_ptr<const EncodedPictures> pictures,
                                                    PictureSizes sizes, std::string description);

}  // namespace noisymix

// Pictures of frost from a folder, for the frost corruption.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "augment/image.h"

namespace noisymix {

/// The PNG and JPEG files of a folder in the order of their names, as RGB. Throws DataError when there are
/// none.
std::shared_ptr<const std::vector<Image>> read_frost_pictures(const std::filesystem::path& folder);

}  // namespace noisymix

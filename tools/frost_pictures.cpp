#include "tools/frost_pictures.h"

#include <algorithm>

#include "data/image_codec.h"
#include "engine/error.h"

namespace noisymix {

std::shared_ptr<const std::vector<Image>> read_frost_pictures(const std::filesystem::path& folder) {
  NM_CHECK_AS(DataError, std::filesystem::is_directory(folder), folder.string(),
              ": no such folder of frost pictures");
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::string extension = entry.path().extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (extension == ".png" || extension == ".jpg" || extension == ".jpeg") files.push_back(entry.path());
  }
  NM_CHECK_AS(DataError, !files.empty(), folder.string(),
              ": no PNG or JPEG files; expected the benchmark's frost pictures");
  std::sort(files.begin(), files.end());
  std::vector<Image> pictures;
  for (const auto& file : files) pictures.push_back(to_rgb(read_image(file)));
  return std::make_shared<const std::vector<Image>>(std::move(pictures));
}

}  // namespace noisymix

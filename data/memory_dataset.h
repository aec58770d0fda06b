// A data set whose images lie in memory as bytes, one after the other: what most readers produce.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/file_bytes.h"

namespace noisymix {

/// The content: pixels are count x height x width x channels (HWC per image), labels index class_names.
struct MemoryImages {
  int height = 0, width = 0, channels = 0;
  Bytes pixels = {};
  std::vector<std::int64_t> labels = {};
  std::vector<std::string> class_names = {};
  std::string description = {};

  std::size_t image_bytes() const {
    return static_cast<std::size_t>(height) * static_cast<std::size_t>(width) *
           static_cast<std::size_t>(channels);
  }
};

/// Takes the content over. Pixels and labels must agree in number, labels must be below the number of
/// classes.
std::shared_ptr<const Dataset> make_memory_dataset(MemoryImages content);

}  // namespace noisymix

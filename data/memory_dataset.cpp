#include "data/memory_dataset.h"

#include <algorithm>

#include "engine/error.h"

namespace noisymix {
namespace {

class MemoryDataset : public Dataset {
 public:
  explicit MemoryDataset(MemoryImages content) : content_(std::move(content)) {}

  std::int64_t size() const override { return static_cast<std::int64_t>(content_.labels.size()); }

  Example get(std::int64_t index) const override {
    NM_CHECK(index >= 0 && index < size(), "[dataset] example ", index, " of ", size(), " does not exist");
    const auto i = static_cast<std::size_t>(index);
    Example example;
    example.image = Image(content_.height, content_.width, content_.channels);
    std::copy_n(content_.pixels.data() + i * content_.image_bytes(), content_.image_bytes(),
                example.image.pixels.data());
    example.label = content_.labels[i];
    return example;
  }

  std::vector<std::string> class_names() const override { return content_.class_names; }
  std::vector<std::int64_t> sample_shape() const override {
    return {content_.height, content_.width, content_.channels};
  }
  std::string description() const override { return content_.description; }

 private:
  MemoryImages content_;
};

}  // namespace

std::shared_ptr<const Dataset> make_memory_dataset(MemoryImages content) {
  NM_ASSERT(content.pixels.size() == content.labels.size() * content.image_bytes());
  const auto classes = static_cast<std::int64_t>(content.class_names.size());
  NM_ASSERT(std::all_of(content.labels.begin(), content.labels.end(),
                        [&](std::int64_t label) { return label >= 0 && label < classes; }));
  return std::make_shared<MemoryDataset>(std::move(content));
}

}  // namespace noisymix

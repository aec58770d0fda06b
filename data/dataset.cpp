#include "data/dataset.h"

#include <algorithm>

#include "engine/error.h"

namespace noisymix {
namespace {

class Subset : public Dataset {
 public:
  Subset(std::shared_ptr<const Dataset> whole, std::int64_t limit)
      : whole_(std::move(whole)), size_(std::min(limit, whole_->size())) {}

  std::int64_t size() const override { return size_; }
  Example get(std::int64_t index) const override {
    check(index);
    return whole_->get(index);
  }
  Example draw(std::int64_t index, Key key) const override {
    check(index);
    return whole_->draw(index, key);
  }
  bool varies() const override { return whole_->varies(); }
  std::int64_t label(std::int64_t index) const override { return whole_->label(index); }
  std::vector<std::string> class_names() const override { return whole_->class_names(); }
  std::vector<std::int64_t> sample_shape() const override { return whole_->sample_shape(); }
  ImageTransform transform() const override { return whole_->transform(); }
  std::string description() const override {
    return "first " + std::to_string(size_) + " of: " + whole_->description();
  }

 private:
  void check(std::int64_t index) const {
    NM_CHECK(index >= 0 && index < size_, "[dataset] example ", index, " of ", size_, " does not exist");
  }

  std::shared_ptr<const Dataset> whole_;
  std::int64_t size_;
};

}  // namespace

std::unique_ptr<Dataset> make_subset(std::shared_ptr<const Dataset> dataset, std::int64_t limit) {
  NM_CHECK(dataset != nullptr, "[subset] expects a data set");
  NM_CHECK(limit >= 0, "[subset] limit is ", limit, ", expected 0 or more");
  return std::make_unique<Subset>(std::move(dataset), limit);
}

}  // namespace noisymix

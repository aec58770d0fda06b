#include "data/batch_source.h"

#include <utility>

#include "data/device_batches.h"
#include "engine/error.h"

namespace noisymix {
namespace {

class LoaderSource final : public BatchSource {
 public:
  LoaderSource(std::shared_ptr<const Dataset> dataset, std::shared_ptr<const Views> views,
               const LoaderOptions& options, Key key)
      : loader_(std::move(dataset), std::move(views), options, key) {}
  std::int64_t batches() const override { return loader_.batches(); }
  void start_epoch(std::int64_t epoch, std::int64_t first_batch) override {
    loader_.start_epoch(epoch, first_batch);
  }
  bool next(Batch& batch) override { return loader_.next(batch); }

 private:
  DataLoader loader_;
};

class DeviceSource final : public BatchSource {
 public:
  DeviceSource(const Dataset& dataset, const Views& views, const LoaderOptions& options, Key key,
               Device device, Dtype dtype)
      : batches_(dataset, views, options, key, device), dtype_(dtype) {}
  std::int64_t batches() const override { return batches_.batches(); }
  void start_epoch(std::int64_t epoch, std::int64_t first_batch) override {
    batches_.start_epoch(epoch);
    next_ = first_batch;
  }
  bool next(Batch& batch) override {
    if (next_ >= batches_.batches()) return false;
    batch = batches_.make(next_++, dtype_);
    return true;
  }

 private:
  DeviceBatches batches_;
  Dtype dtype_;
  std::int64_t next_ = 0;
};

}  // namespace

std::unique_ptr<BatchSource> make_batch_source(std::shared_ptr<const Dataset> dataset,
                                               std::shared_ptr<const Views> views,
                                               const LoaderOptions& options, Key key, Device device,
                                               Dtype dtype,
                                               const std::function<void(const std::string&)>& notice) {
  if (!device.is_cpu() && DeviceBatches::can_hold(*dataset, *views)) {
    try {
      return std::make_unique<DeviceSource>(*dataset, *views, options, key, device, dtype);
    } catch (const OutOfMemoryError&) {
      if (notice) notice("the data set does not fit into the GPU's memory; the CPU makes the views");
    }
  }
  return std::make_unique<LoaderSource>(std::move(dataset), std::move(views), options, key);
}

}  // namespace noisymix

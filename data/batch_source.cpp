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

class ReplayedSource final : public BatchSource {
 public:
  ReplayedSource(std::unique_ptr<BatchSource> source, std::int64_t times)
      : source_(std::move(source)), times_(times) {}
  std::int64_t batches() const override { return source_->batches() * times_; }
  void start_epoch(std::int64_t epoch, std::int64_t first_batch) override {
    source_->start_epoch(epoch, first_batch / times_);
    shown_ = times_;
    skip_ = first_batch % times_;
  }
  bool next(Batch& batch) override {
    if (shown_ == times_) {
      if (!source_->next(current_)) return false;
      shown_ = std::exchange(skip_, 0);
    }
    batch = current_;
    batch.index = current_.index * times_ + shown_++;
    return true;
  }

 private:
  std::unique_ptr<BatchSource> source_;
  std::int64_t times_;
  std::int64_t shown_ = 0,
               skip_ = 0;  // how often current_ was given out; where a resumed epoch begins inside a batch
  Batch current_;
};

}  // namespace

std::unique_ptr<BatchSource> replayed(std::unique_ptr<BatchSource> source, std::int64_t times) {
  NM_CHECK_AS(ConfigError, times >= 1, "train.replays must be at least 1, got ", times);
  if (times == 1) return source;
  return std::make_unique<ReplayedSource>(std::move(source), times);
}

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

#include "data/loader.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "data/batch_order.h"
#include "engine/error.h"

namespace noisymix {
namespace {

// Examples a worker takes at a time: several workers share one batch, so that the first batch comes soon, and
// the lock is taken rarely compared with the work.
constexpr std::int64_t kChunk = 8;

/// A place in the ring: batch `number` of the epoch while it is being filled, until next() takes it.
struct Slot {
  Batch batch;
  std::int64_t started = 0;   ///< examples handed to workers
  std::int64_t finished = 0;  ///< examples written
  std::exception_ptr error;
  std::int64_t error_at = 0;  ///< position of the failed example: the first in order is the one reported
};

}  // namespace

// The ring holds batches [taken, taken + slots). Batch b lives in slot b % slots; workers fill slots in order
// of b and write disjoint rows, so only the hand-out of work and its completion need the lock.
struct DataLoader::Impl {
  std::shared_ptr<const Dataset> dataset;
  std::shared_ptr<const Views> views;
  LoaderOptions options;
  std::vector<std::int64_t> stored_shape;  ///< of the data set's examples; 0 x 0 when they differ in size
  std::vector<std::int64_t> sample_shape;  ///< of the views
  std::int64_t sample_size = 1;

  BatchOrder order;
  bool in_epoch = false;
  std::int64_t taken = 0;  ///< the batch that next() returns next

  std::mutex mutex;
  std::condition_variable work_ready, batch_ready;
  std::vector<Slot> ring;
  std::int64_t filling = 0;  ///< the batch from which workers take examples
  std::int64_t opened = 0;   ///< batches below this have a prepared slot
  int busy = 0;              ///< workers inside a chunk
  bool stop = false;
  std::vector<std::thread> threads;

  ~Impl() {
    {
      std::lock_guard lock(mutex);
      stop = true;
    }
    work_ready.notify_all();
    for (std::thread& thread : threads) thread.join();
  }

  Slot& slot_of(std::int64_t number) { return ring[static_cast<std::size_t>(number) % ring.size()]; }

  Batch empty_batch(std::int64_t number) const;
  void fill(Batch& batch, std::int64_t begin, std::int64_t end, std::int64_t& at) const;
  void fill_example(Batch& batch, std::int64_t row, std::vector<float*>& outputs) const;
  void open_slots();
  void work();
  void halt_workers(std::unique_lock<std::mutex>& lock);
};

Batch DataLoader::Impl::empty_batch(std::int64_t number) const {
  const std::int64_t b = order.size(number);
  std::vector<std::int64_t> dims{views->count() * b};
  dims.insert(dims.end(), sample_shape.begin(), sample_shape.end());
  return {.images = Tensor::empty(Shape(dims)),
          .labels = Tensor::empty(Shape({b}), Dtype::i64),
          .views = views->count(),
          .index = number,
          .epoch = order.epoch()};
}

/// Writes rows [begin, end) of every view; `at` follows the row in progress, for the report of an error.
void DataLoader::Impl::fill(Batch& batch, std::int64_t begin, std::int64_t end, std::int64_t& at) const {
  std::vector<float*> outputs(static_cast<std::size_t>(batch.views));
  for (at = begin; at < end; ++at) fill_example(batch, at, outputs);
}

void DataLoader::Impl::fill_example(Batch& batch, std::int64_t row, std::vector<float*>& outputs) const {
  const std::int64_t b = batch.labels.dim(0);
  const std::int64_t index = order.example(batch.index, row);
  float* const images = batch.images.mutable_data<float>();
  for (std::int64_t v = 0; v < batch.views; ++v)
    outputs[static_cast<std::size_t>(v)] = images + (v * b + row) * sample_size;

  const Key key = order.views_key().child(index);
  const Example example = dataset->draw(index, key);
  batch.labels.mutable_data<std::int64_t>()[row] = example.label;
  if (sample_shape.size() == 1) {
    NM_CHECK(static_cast<std::int64_t>(example.features.size()) == sample_size, "[loader] example ", index,
             " has ", example.features.size(), " features, expected ", sample_size);
    for (float* output : outputs) std::copy(example.features.begin(), example.features.end(), output);
    return;
  }
  const Image& image = example.image;
  const std::vector<std::int64_t>& stored = stored_shape;
  NM_CHECK(stored[0] == 0 || (image.height == stored[0] && image.width == stored[1]), "[loader] example ",
           index, " is ", image.height, "x", image.width, ", expected ", stored[0], "x", stored[1]);
  NM_CHECK(image.channels == stored[2], "[loader] example ", index, " has ", image.channels,
           " channels, expected ", stored[2]);
  views->make(image, key, outputs);
}

/// Prepares slots up to the ring's length ahead of next(). Tensors come from the caller's thread alone.
void DataLoader::Impl::open_slots() {
  const std::int64_t end = std::min(order.batches(), taken + static_cast<std::int64_t>(ring.size()));
  while (opened < end) {  // only this thread changes `opened`, and only under the lock
    Slot fresh;
    fresh.batch = empty_batch(opened);
    std::lock_guard lock(mutex);
    slot_of(opened++) = std::move(fresh);
  }
  work_ready.notify_all();
}

void DataLoader::Impl::work() {
  std::unique_lock lock(mutex);
  for (;;) {
    work_ready.wait(lock, [this] { return stop || filling < opened; });
    if (stop) return;
    Slot& slot = slot_of(filling);
    Batch batch = slot.batch;  // handles: the slot may not be touched outside the lock
    const std::int64_t begin = slot.started, end = std::min(begin + kChunk, batch.size());
    slot.started = end;
    if (end == batch.size()) ++filling;
    ++busy;
    lock.unlock();

    std::int64_t at = begin;
    std::exception_ptr error;
    try {
      fill(batch, begin, end, at);
    } catch (...) {
      error = std::current_exception();
    }
    const std::int64_t size = batch.size();
    batch = {};  // lets next()'s caller be the sole owner

    lock.lock();
    --busy;
    if (error && (!slot.error || at < slot.error_at)) {
      slot.error = error;
      slot.error_at = at;
    }
    slot.finished += end - begin;
    if (slot.finished == size || busy == 0) batch_ready.notify_all();
  }
}

/// Takes back all work that is not in progress and waits for the rest.
void DataLoader::Impl::halt_workers(std::unique_lock<std::mutex>& lock) {
  filling = opened = 0;
  batch_ready.wait(lock, [this] { return busy == 0; });
}

DataLoader::DataLoader(std::shared_ptr<const Dataset> dataset, std::shared_ptr<const Views> views,
                       LoaderOptions options, Key key)
    : impl_(std::make_unique<Impl>()) {
  NM_CHECK(dataset != nullptr && views != nullptr, "[loader] expects a data set and views");
  NM_CHECK_AS(ConfigError, options.workers >= 0 && options.workers <= 1024, "[loader] workers is ",
              options.workers, ", expected 0 to 1024");
  NM_CHECK_AS(ConfigError, options.prefetch >= 1 && options.prefetch <= 1024, "[loader] prefetch is ",
              options.prefetch, ", expected 1 to 1024");
  impl_->stored_shape = dataset->sample_shape();
  impl_->sample_shape = views->output_shape(impl_->stored_shape);
  NM_CHECK_AS(ConfigError, impl_->sample_shape[0] > 0, "[loader] ", dataset->description(),
              ": the pictures differ in size; set data.resize and data.crop");
  for (const std::int64_t dim : impl_->sample_shape) impl_->sample_size *= dim;
  impl_->order = BatchOrder(dataset->size(), options.batch, options.shuffle, options.drop_last, key);
  impl_->dataset = std::move(dataset);
  impl_->views = std::move(views);
  impl_->options = options;
  if (options.workers == 0) return;
  impl_->ring.resize(static_cast<std::size_t>(options.prefetch));
  for (int i = 0; i < options.workers; ++i)
    impl_->threads.emplace_back([impl = impl_.get()] { impl->work(); });
}

DataLoader::~DataLoader() = default;

std::int64_t DataLoader::batches() const {
  return impl_->order.batches();
}

void DataLoader::start_epoch(std::int64_t epoch, std::int64_t first_batch) {
  Impl& s = *impl_;
  NM_CHECK_AS(ConfigError, first_batch >= 0 && first_batch <= s.order.batches(), "[loader] first batch is ",
              first_batch, ", expected 0 to ", s.order.batches());
  {
    std::unique_lock lock(s.mutex);
    s.halt_workers(lock);
  }
  s.order.start_epoch(epoch);
  s.taken = first_batch;
  s.in_epoch = true;
  if (s.options.workers == 0) return;
  {
    std::lock_guard lock(s.mutex);
    s.filling = s.opened = first_batch;
  }
  s.open_slots();
}

bool DataLoader::next(Batch& batch) {
  Impl& s = *impl_;
  NM_CHECK_AS(InternalError, s.in_epoch, "[loader] next() before start_epoch()");
  if (s.taken >= s.order.batches()) return false;
  if (s.options.workers == 0) {
    Batch fresh = s.empty_batch(s.taken);
    std::int64_t at = 0;
    s.fill(fresh, 0, fresh.size(),
           at);  // an exception leaves the position, so that the next call meets it again
    batch = std::move(fresh);
    ++s.taken;
    return true;
  }
  {
    std::unique_lock lock(s.mutex);
    Slot& slot = s.slot_of(s.taken);
    s.batch_ready.wait(lock, [&] { return slot.finished == slot.batch.size(); });
    if (slot.error) std::rethrow_exception(slot.error);
    batch = std::move(slot.batch);
  }
  ++s.taken;
  s.open_slots();
  return true;
}

}  // namespace noisymix

// Ordered batches of views from a data set, made by worker threads; the same bits for any number of workers.
#pragma once

#include <cstdint>
#include <memory>

#include "augment/views.h"
#include "data/dataset.h"
#include "engine/key.h"
#include "engine/tensor.h"

namespace noisymix {

struct LoaderOptions {
  std::int64_t batch = 128;
  bool shuffle = true;
  bool drop_last = false;
  int workers = 1;   ///< threads that make views; 0 makes them in next()
  int prefetch = 2;  ///< batches made ahead
};

/// One step's input. Images are view-major: rows [v * b, (v + 1) * b) are view v of the b examples.
struct Batch {
  Tensor images;  ///< f32 [views * b, h, w, c] (or [views * b, features])
  Tensor labels;  ///< i64 [b]
  int views = 1;
  std::int64_t index = 0;  ///< position within the epoch
  std::int64_t epoch = 0;
  std::int64_t size() const { return labels.dim(0); }
};

/// Order is a function of key and epoch: permutation(key.child("order").child(epoch)); the views of example i
/// use key.child("views").child(epoch).child(i). Exceptions of workers are rethrown by next().
class DataLoader {
 public:
  DataLoader(std::shared_ptr<const Dataset> dataset, std::shared_ptr<const Views> views,
             LoaderOptions options, Key key);
  ~DataLoader();
  DataLoader(const DataLoader&) = delete;
  DataLoader& operator=(const DataLoader&) = delete;

  /// Batches in one epoch; the last may be smaller unless drop_last.
  std::int64_t batches() const;
  /// Begins an epoch at a batch (to resume in the middle).
  void start_epoch(std::int64_t epoch, std::int64_t first_batch = 0);
  /// The next batch of the epoch; false at its end.
  bool next(Batch& batch);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace noisymix

// Where a training loop gets its batches from, wherever they are made.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "data/loader.h"

namespace noisymix {

/// The batches of an epoch in order: the same pictures whichever source makes them.
class BatchSource {
 public:
  virtual ~BatchSource() = default;
  /// Batches in one epoch.
  virtual std::int64_t batches() const = 0;
  /// Begins an epoch at a batch (to resume in the middle).
  virtual void start_epoch(std::int64_t epoch, std::int64_t first_batch) = 0;
  /// The next batch of the epoch; false at its end.
  virtual bool next(Batch& batch) = 0;
};

/// On a GPU whose memory holds the data set's bytes, batches are made there, with images in `dtype`; else by
/// the workers of a DataLoader, in f32 on the CPU. `notice` is told why a GPU does not make them.
std::unique_ptr<BatchSource> make_batch_source(std::shared_ptr<const Dataset> dataset,
                                               std::shared_ptr<const Views> views,
                                               const LoaderOptions& options, Key key, Device device,
                                               Dtype dtype,
                                               const std::function<void(const std::string&)>& notice = {});

/// Each batch `times` times in a row ("free" adversarial training), so that an epoch has as many times the
/// batches.
std::unique_ptr<BatchSource> replayed(std::unique_ptr<BatchSource> source, std::int64_t times);

}  // namespace noisymix

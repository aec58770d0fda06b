// A data set that lies on a device, and batches of views made there: the batches of DataLoader without its
// workers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "augment/views.h"
#include "data/batch_order.h"
#include "data/dataset.h"
#include "data/loader.h"
#include "engine/key.h"
#include "engine/tensor.h"

namespace noisymix {

/// Same order, same keys and therefore same pictures as a DataLoader with the same arguments.
class DeviceBatches {
 public:
  /// Whether the set has images, not points, of one size and the same in each epoch, and the views have a
  /// plan.
  static bool can_hold(const Dataset& dataset, const Views& views);

  /// Reads all examples once. Throws ConfigError unless can_hold(), OutOfMemoryError when the images do not
  /// fit.
  DeviceBatches(const Dataset& dataset, const Views& views, const LoaderOptions& options, Key key,
                Device device);

  std::int64_t batches() const { return order_.batches(); }
  void start_epoch(std::int64_t epoch) { order_.start_epoch(epoch); }
  /// The examples of batch `number` of the epoch.
  std::vector<std::int64_t> examples(std::int64_t number) const { return order_.examples(number); }
  /// What distinguishes this batch from others of its size: the step value "batch" of a captured step.
  std::vector<std::byte> packed(std::int64_t number) const;

  /// Batch `number` of the epoch with images in f32 or bf16; its packed form is uploaded as the step value
  /// "batch".
  Batch make(std::int64_t number, Dtype dtype = Dtype::f32) const;
  /// Fills images [views * b, h, w, c] and labels [b] from a packed batch on the device.
  void fill(const Tensor& packed_batch, Tensor& images, Tensor& labels) const;

  int views() const { return plan_.count(); }
  Device device() const { return images_.device(); }

 private:
  ViewsPlan plan_;
  BatchOrder order_;
  Tensor images_;  // u8 [n, h, w, c]
  Tensor labels_;  // i64 [n]
};

}  // namespace noisymix

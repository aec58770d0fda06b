// Which examples form which batch of an epoch: one definition for the loader of the CPU and that of the GPU.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/key.h"

namespace noisymix {

/// A function of key and epoch: permutation(key.child("order").child(epoch)), cut into batches.
class BatchOrder {
 public:
  BatchOrder() = default;
  /// Throws ConfigError unless batch is 1 or more.
  BatchOrder(std::int64_t examples, std::int64_t batch, bool shuffle, bool drop_last, Key key);

  /// Batches in one epoch; the last may be smaller unless drop_last.
  std::int64_t batches() const;
  /// Examples in a batch.
  std::int64_t size(std::int64_t number) const;
  void start_epoch(std::int64_t epoch);
  std::int64_t epoch() const { return epoch_; }
  /// The example in a row of a batch of the epoch.
  std::int64_t example(std::int64_t number, std::int64_t row) const {
    return order_[static_cast<std::size_t>(number * batch_ + row)];
  }
  /// All examples of a batch of the epoch.
  std::vector<std::int64_t> examples(std::int64_t number) const;
  /// The views of example i use views_key().child(i).
  Key views_key() const { return views_key_; }

 private:
  std::int64_t examples_ = 0, batch_ = 1;
  bool shuffle_ = true, drop_last_ = false;
  std::int64_t epoch_ = 0;
  Key key_, views_key_;
  std::vector<std::int64_t> order_;
};

}  // namespace noisymix

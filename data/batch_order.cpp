#include "data/batch_order.h"

#include <algorithm>
#include <numeric>

#include "engine/error.h"

namespace noisymix {

BatchOrder::BatchOrder(std::int64_t examples, std::int64_t batch, bool shuffle, bool drop_last, Key key)
    : examples_(examples), batch_(batch), shuffle_(shuffle), drop_last_(drop_last), key_(key) {
  NM_CHECK_AS(ConfigError, batch >= 1, "[loader] batch is ", batch, ", expected 1 or more");
}

std::int64_t BatchOrder::batches() const {
  return drop_last_ ? examples_ / batch_ : (examples_ + batch_ - 1) / batch_;
}

std::int64_t BatchOrder::size(std::int64_t number) const {
  return std::min(batch_, examples_ - number * batch_);
}

void BatchOrder::start_epoch(std::int64_t epoch) {
  epoch_ = epoch;
  if (shuffle_) {
    order_ = permutation(key_.child("order").child(epoch), examples_);
  } else {
    order_.resize(static_cast<std::size_t>(examples_));
    std::iota(order_.begin(), order_.end(), 0);
  }
  views_key_ = key_.child("views").child(epoch);
}

std::vector<std::int64_t> BatchOrder::examples(std::int64_t number) const {
  NM_CHECK_AS(InternalError, !order_.empty() && number >= 0 && number < batches(), "[loader] batch ", number,
              " of ", batches(), ", or no epoch has begun");
  const auto begin = order_.begin() + static_cast<std::ptrdiff_t>(number * batch_);
  return {begin, begin + static_cast<std::ptrdiff_t>(size(number))};
}

}  // namespace noisymix

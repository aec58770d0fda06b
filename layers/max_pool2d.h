// Max-pooling as a module, for containers.
#pragma once

#include "engine/ops/pool.h"
#include "layers/module.h"

namespace noisymix {

/// x [n, h, w, c] -> [n, ho, wo, c], the largest value of each window; see max_pool2d(). No state.
class MaxPool2d : public Module {
 public:
  explicit MaxPool2d(const Pool2dOptions& options) : options_(options) {}

 protected:
  Tensor forward(const Tensor& x, const Context&) override { return max_pool2d(x, options_); }

 private:
  Pool2dOptions options_;
};

}  // namespace noisymix

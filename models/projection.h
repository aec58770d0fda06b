// The shortcut of a residual block that changes shape.
#pragma once

#include "layers/batch_norm2d.h"
#include "layers/conv2d.h"

namespace noisymix {

/// x [n, h, w, in] -> [n, h / stride, w / stride, out]: 1x1 convolution without bias ("0"), batch norm ("1").
class Projection : public Module {
 public:
  Projection(std::int64_t in, std::int64_t out, std::int64_t stride, const InitialValues& initial = {})
      : conv_(in, out, 1, Conv2dOptions::square(stride, 0), /*bias=*/false, initial), norm_(out) {
    register_module("0", conv_);
    register_module("1", norm_);
  }

 protected:
  Tensor forward(const Tensor& x, const Context& context) override { return conv_.then(norm_, x, context); }

 private:
  Conv2d conv_;
  BatchNorm2d norm_;
};

}  // namespace noisymix

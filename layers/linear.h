// Affine map of the last axis.
#pragma once

#include "layers/initialize.h"
#include "layers/module.h"

namespace noisymix {

/// x [..., in] -> [..., out]. State: weight [out, in], bias [out] unless left out. Initial values: U(-1, 1) /
/// sqrt(in) unless told otherwise.
class Linear : public Module {
 public:
  Linear(std::int64_t in, std::int64_t out, bool bias = true, const InitialValues& initial = {});

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;
  void reset_parameters(Key key) override;

 private:
  InitialValues initial_;
  Tensor& weight_;
  Tensor* bias_;  // null without bias
};

}  // namespace noisymix

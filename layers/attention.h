// Multi-head self-attention over a sequence of tokens.
#pragma once

#include "layers/dropout.h"
#include "layers/linear.h"

namespace noisymix {

struct AttentionOptions {
  std::int64_t heads = 4;        ///< must divide the features
  double attention_dropout = 0;  ///< of the attention weights, after the softmax
  double dropout = 0;            ///< of the result
  InitialValues initial{};       ///< of both linear maps
};

/// x [n, tokens, features] -> same shape. Per head of d = features / heads:
/// softmax(q k' / sqrt(d)) v, the heads side by side, then a linear map. State: qkv.weight [3 features,
/// features] (queries, keys, values; no bias), proj.weight [features, features], proj.bias.
class Attention : public Module {
 public:
  explicit Attention(std::int64_t features, const AttentionOptions& options = {});

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;

 private:
  std::int64_t features_, heads_;
  Linear qkv_;
  Dropout attn_drop_;
  Linear proj_;
  Dropout proj_drop_;
};

}  // namespace noisymix

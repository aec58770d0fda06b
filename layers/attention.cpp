#include "layers/attention.h"

#include <cmath>

#include "engine/ops/elementwise.h"
#include "engine/ops/matmul.h"
#include "engine/ops/permute.h"
#include "engine/ops/softmax.h"

namespace noisymix {

Attention::Attention(std::int64_t features, const AttentionOptions& options)
    : features_(features),
      heads_(options.heads),
      qkv_(features, 3 * features, /*bias=*/false, options.initial),
      attn_drop_(options.attention_dropout),
      proj_(features, features, /*bias=*/true, options.initial),
      proj_drop_(options.dropout) {
  NM_CHECK(heads_ > 0 && features % heads_ == 0, "[Attention] ", features,
           " features cannot be split evenly into ", heads_, " heads");
  register_module("qkv", qkv_);
  register_module("attn_drop", attn_drop_);
  register_module("proj", proj_);
  register_module("proj_drop", proj_drop_);
}

Tensor Attention::forward(const Tensor& x, const Context& context) {
  NM_CHECK(x.rank() == 3 && x.dim(2) == features_, "[Attention] expects [n, tokens, ", features_, "], got ",
           x.shape());
  const std::int64_t n = x.dim(0), tokens = x.dim(1), d = features_ / heads_;
  // [3, n, heads, tokens, d], so that queries, keys and values are each in one piece
  const Tensor all = permute(qkv_(x, context).reshape({n, tokens, 3, heads_, d}), {2, 0, 3, 1, 4});
  const auto part = [&](std::int64_t i) { return all.rows(i, i + 1).reshape({n * heads_, tokens, d}); };
  const Tensor queries = mul(part(0), 1 / std::sqrt(static_cast<double>(d)));
  const Tensor scores = matmul(queries, part(1), {.transpose_b = true});  // [n heads, tokens, tokens]
  const Tensor weights = attn_drop_(softmax(scores), context);
  const Tensor mixed = matmul(weights, part(2)).reshape({n, heads_, tokens, d});
  const Tensor joined = permute(mixed, {0, 2, 1, 3}).reshape({n, tokens, features_});
  return proj_drop_(proj_(joined, context), context);
}

}  // namespace noisymix

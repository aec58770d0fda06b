// Compositions of several ops against reference values: what the layers and models are made of.
#include "engine/ops/batch_norm.h"
#include "engine/ops/concat.h"
#include "engine/ops/conv2d.h"
#include "engine/ops/gather.h"
#include "engine/ops/layer_norm.h"
#include "engine/ops/matmul.h"
#include "engine/ops/permute.h"
#include "engine/ops/slice.h"
#include "engine/ops/softmax.h"
#include "tests/ops_golden.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

/// x [b, n, c], weights [3c, c] (query rows, then key, then value) and [c, c], bias [c].
Tensor attention(const Tensor& x, const Tensor& qkv_weight, const Tensor& out_weight, const Tensor& out_bias,
                 std::int64_t heads) {
  const std::int64_t b = x.dim(0), n = x.dim(1), c = x.dim(2), width = c / heads;
  const Tensor qkv = permute(linear(x, qkv_weight, {}).reshape({b, n, 3, heads, width}), {2, 0, 3, 1, 4});
  const auto part = [&](std::int64_t k) { return qkv.rows(k, k + 1).reshape({b * heads, n, width}); };
  const Tensor scores =
      mul(matmul(part(0), part(1), {false, true}), 1 / std::sqrt(static_cast<double>(width)));
  const Tensor mixed = matmul(softmax(scores), part(2)).reshape({b, heads, n, width});
  return linear(permute(mixed, {0, 2, 1, 3}).reshape({b, n, c}), out_weight, out_bias);
}

}  // namespace

TEST_CASE("multi-head attention matches the reference") {
  for (const OpsCase& item : ops_cases("multi_head_attention"))
    check_ops_case(item, {"x", "w_qkv", "w_proj", "b_proj"}, [&](const auto& in) {
      return attention(in[0], in[1], in[2], in[3], item.attrs.at("heads"));
    });
}

TEST_CASE("a ViT-lite encoder layer matches the reference") {
  for (const OpsCase& item : ops_cases("vit_lite_encoder_layer"))
    check_ops_case(
        item, {"x", "w_qkv", "w_proj", "b_proj", "pre_w", "pre_b", "n1_w", "n1_b", "w1", "b1", "w2", "b2"},
        [&](const auto& in) {
          const Tensor attended =
              attention(layer_norm(in[0], in[4], in[5]), in[1], in[2], in[3], item.attrs.at("heads"));
          const Tensor s = layer_norm(in[0] + attended, in[6], in[7]);
          return s + linear(gelu(linear(s, in[8], in[9])), in[10], in[11]);
        });
}

TEST_CASE("class token and position embedding match the reference") {
  check_ops_cases("cls_pos_embed", {"x", "cls", "pos"}, [](const auto& in) {
    return concat({expand(in[1], {in[0].dim(0), 1, in[0].dim(2)}), in[0]}, 1) + in[2];
  });
}

TEST_CASE("mixing a batch with a permuted copy of itself matches the reference") {
  for (const OpsCase& item : ops_cases("mixup"))
    check_ops_case(item, {"x", "index"}, [&](const auto& in) {
      const double lambda = item.attrs.at("lam");
      return lambda * in[0] + (1 - lambda) * index_select(in[0], in[1]);
    });
}

TEST_CASE("a pre-activation block with stride matches the reference") {
  for (const OpsCase& item : ops_cases("preact_block"))
    check_ops_case(
        item, {"x", "bn1_w", "bn1_b", "w1", "bn2_w", "bn2_b", "w2", "w_sc"},
        [&](const auto& in) {
          const std::int64_t stride = item.attrs.at("stride");
          const auto norm = [](const Tensor& x, const Tensor& weight, const Tensor& bias) {
            Tensor mean = Tensor::zeros(weight.shape()), var = Tensor::ones(weight.shape());
            return relu(batch_norm_train(x, weight, bias, mean, var));
          };
          const Tensor o = norm(in[0], in[1], in[2]);
          const Tensor inner = norm(conv2d(o, in[3], {}, Conv2dOptions::square(stride, 1)), in[4], in[5]);
          return conv2d(inner, in[6], {}, Conv2dOptions::square(1, 1)) +
                 conv2d(o, in[7], {}, Conv2dOptions::square(stride, 0));
        },
        GoldenLayout::channels_last);
}

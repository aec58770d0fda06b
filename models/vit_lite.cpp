#include "models/vit_lite.h"

#include <numeric>

#include "engine/ops/concat.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/permute.h"
#include "engine/ops/slice.h"
#include "models/image_input.h"

namespace noisymix {
namespace {

constexpr InitialValues kVitInitial{WeightInit::truncated_normal, /*zero_bias=*/true};
constexpr double kPositionDeviation = 0.2;

/// Tokens of an image, without the class token.
std::int64_t token_count(const VitLiteOptions& options) {
  NM_CHECK_AS(
      ConfigError,
      options.patch > 0 && options.image_size >= options.patch && options.image_size % options.patch == 0,
      "[vit-lite] images of ", options.image_size, " pixels cannot be cut evenly into patches of ",
      options.patch);
  NM_CHECK_AS(ConfigError, options.heads > 0 && options.features % options.heads == 0, "[vit-lite] ",
              options.features, " features cannot be split evenly into ", options.heads,
              " heads, choose another width");
  const std::int64_t side = options.image_size / options.patch;
  return side * side;
}

}  // namespace

VitBlock::VitBlock(const VitLiteOptions& options, double drop_path)
    : pre_norm_(options.features),
      self_attn_(options.features, {options.heads, options.attention_dropout, 0, kVitInitial}),
      drop_path1_(drop_path),
      linear1_(options.features, 2 * options.features, /*bias=*/true, kVitInitial),
      norm1_(options.features),
      linear2_(2 * options.features, options.features, /*bias=*/true, kVitInitial),
      drop_path2_(drop_path) {
  register_module("pre_norm", pre_norm_);
  register_module("self_attn", self_attn_);
  register_module("drop_path1", drop_path1_);
  register_module("linear1", linear1_);
  register_module("norm1", norm1_);
  register_module("linear2", linear2_);
  register_module("drop_path2", drop_path2_);
}

Tensor VitBlock::forward(const Tensor& x, const Context& context) {
  const Tensor mixed = drop_path1_(self_attn_(pre_norm_(x, context), context), context);
  const Tensor trunk = norm1_(x + mixed, context);
  const Tensor hidden = gelu(linear1_(trunk, context));
  return trunk + drop_path2_(linear2_(hidden, context), context);
}

VitClassifier::VitClassifier(const VitLiteOptions& options, std::int64_t tokens)
    : class_emb_(register_parameter("class_emb", Tensor::zeros({1, 1, options.features}))),
      positional_emb_(register_parameter("positional_emb", Tensor::zeros({1, tokens + 1, options.features}))),
      norm_(options.features),
      fc_(options.features, options.classes, /*bias=*/true, kVitInitial) {
  register_module("blocks", blocks_);
  register_module("norm", norm_);
  register_module("fc", fc_);
  for (std::int64_t i = 0; i < options.blocks; ++i) {
    const double rise =
        options.blocks > 1 ? static_cast<double>(i) / static_cast<double>(options.blocks - 1) : 0;
    blocks_.emplace<VitBlock>(options, options.drop_path * rise);
  }
}

Tensor VitClassifier::forward(const Tensor& x, const Context& context) {
  const std::int64_t n = x.dim(0), features = x.dim(2);
  const Tensor token = expand(class_emb_.to(x.dtype()), {n, 1, features});
  Tensor y = concat({token, x}, 1) + positional_emb_.to(x.dtype());
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    y = blocks_[i](y, context);
    if (i + 1 < blocks_.size()) y = context.at_stage(static_cast<int>(i) + 1, y);
  }
  const Tensor first = slice(norm_(y, context), {{0, n}, {0, 1}}).reshape({n, features});
  return fc_(first, context);
}

void VitClassifier::reset_parameters(Key key) {
  fill_constant(class_emb_, 0);
  fill_truncated_normal(positional_emb_, kPositionDeviation, -2, 2, key.child("positional_emb"));
}

VitLite::VitLite(const VitLiteOptions& options)
    : options_(options), classifier_(options, token_count(options)) {
  Sequential& layers = tokenizer_.emplace_named<Sequential>("conv_layers");
  layers.emplace<Sequential>().emplace<Conv2d>(options.inputs, options.features, options.patch,
                                               Conv2dOptions::square(options.patch, 0), /*bias=*/true,
                                               InitialValues{WeightInit::he_fan_in});
  register_module("tokenizer", tokenizer_);
  register_module("classifier", classifier_);
}

std::vector<int> VitLite::stages() const {
  std::vector<int> result(static_cast<std::size_t>(options_.blocks));
  std::iota(result.begin(), result.end(), 0);
  return result;
}

std::vector<std::string> VitLite::stage_ends() const {
  std::vector<std::string> result;
  for (std::int64_t i = 0; i < options_.blocks; ++i)
    result.push_back("classifier.blocks." + std::to_string(i));
  return result;
}

Tensor VitLite::forward(const Tensor& x, const Context& context) {
  const std::int64_t side = options_.image_size;
  check_image_input("vit-lite", x, 1);
  NM_CHECK(x.dim(1) == side && x.dim(2) == side, "[vit-lite] expects images of ", side, " x ", side,
           " pixels, got ", x.dim(1), " x ", x.dim(2), ": set model.image_size");
  const Tensor patches = tokenizer_(context.at_stage(0, x), context);
  return classifier_(patches.reshape({x.dim(0), -1, options_.features}), context);
}

}  // namespace noisymix

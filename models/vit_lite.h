// ViT-lite: a small vision transformer for 32 x 32 images, in the form of the Compact Transformers code.
#pragma once

#include <string>
#include <vector>

#include "layers/attention.h"
#include "layers/conv2d.h"
#include "layers/drop_path.h"
#include "layers/layer_norm.h"
#include "layers/sequential.h"
#include "models/registry.h"

namespace noisymix {

/// The NFM paper says "compact vision transformer, 7 attention layers, 4 heads" only; patches of 4 pixels and
/// a class token are this library's reading.
struct VitLiteOptions {
  std::int64_t inputs = 3, classes = 10;
  std::int64_t image_size = 32;  ///< side of the images, a multiple of the patch
  std::int64_t patch = 4;
  std::int64_t features = 256;  ///< per token; the hidden layer of a block has twice as many
  std::int64_t blocks = 7, heads = 4;
  double attention_dropout = 0.1;
  double drop_path = 0.1;  ///< of the last block; earlier ones rise linearly from 0
};

/// x [n, tokens, features] -> same shape: x + drop_path(attention(pre_norm(x))), normalised by norm1, which
/// sits on the trunk (a peculiarity of the code that is kept), plus drop_path(linear2(gelu(linear1(.)))).
class VitBlock : public Module {
 public:
  VitBlock(const VitLiteOptions& options, double drop_path);

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;

 private:
  LayerNorm pre_norm_;
  Attention self_attn_;
  DropPath drop_path1_;
  Linear linear1_;
  LayerNorm norm1_;
  Linear linear2_;
  DropPath drop_path2_;
};

/// Tokens [n, tokens, features] -> logits [n, classes]: class token in front, learned position values added,
/// blocks, norm, linear map of the class token.
class VitClassifier : public Module {
 public:
  VitClassifier(const VitLiteOptions& options, std::int64_t tokens);

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;
  void reset_parameters(Key key) override;

 private:
  Tensor& class_emb_;       // [1, 1, features]
  Tensor& positional_emb_;  // [1, tokens + 1, features]
  Sequential blocks_;
  LayerNorm norm_;
  Linear fc_;
};

/// Images [n, image_size, image_size, inputs] -> logits [n, classes]. Mixing is possible at the input and
/// after every block but the last, on the tokens, class token included.
class VitLite : public Model {
 public:
  explicit VitLite(const VitLiteOptions& options);

  std::vector<int> stages() const override;
  std::string head() const override { return "classifier.fc"; }
  std::vector<std::string> stage_ends() const override;

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;

 private:
  VitLiteOptions options_;
  Sequential tokenizer_;  // conv_layers.0.0, a convolution
  VitClassifier classifier_;
};

}  // namespace noisymix

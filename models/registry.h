// One table from model name to constructor.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "layers/module.h"

namespace noisymix {

/// A network: forward returns logits [n, classes] from images [n, h, w, c] (or points [n, 2] for the toy
/// networks).
class Model : public Module {
 public:
  /// Stages announced through Context::at_stage at which mixing may happen, 0 (input) first.
  virtual std::vector<int> stages() const = 0;
  /// Path of the last layer, from features to logits, for example "fc": what transfer learning replaces.
  /// Empty when there is no such single layer.
  virtual std::string head() const { return ""; }
  /// Path of the module that ends stage 1, 2, ... in the order of the state: everything up to and including
  /// it is what freezing to that stage holds still. May go on behind the stages at which mixing happens.
  virtual std::vector<std::string> stage_ends() const { return {}; }
};

/// Settings that several models share; a model rejects those it does not have (ConfigError).
struct ModelOptions {
  int classes = 10;
  int inputs = 0;         ///< channels of the images or features of a point; 0 means 3 or 2
  double width = 0;       ///< factor on the channels or hidden units; 0 means the model's own default
  int depth = 0;          ///< Wide-ResNet depth (6 n + 4); 0 means the model's own default
  double dropout = -1;    ///< negative means the model's own default
  std::string shortcut;   ///< PreActResNet: "activated" (default, as published code) or "raw"
  bool final_bn = false;  ///< PreActResNet: batch norm and ReLU before the pooling
  std::string activation = "relu";  ///< "relu" or "gelu"
  int growth = 0;         ///< DenseNet: channels that each layer adds; 0 means the model's own default
  std::string stem;       ///< ResNet-18 of DiGN: "3x3" (default) or "7x7" with stride 2, as for Tiny-ImageNet
  double drop_path = -1;  ///< ViT-lite: stochastic depth of the last block; negative means its default, 0.1
  int image_size = 0;     ///< ViT-lite: side of the images; 0 means 32
  int patch = 0;          ///< ViT-lite: side of a patch; 0 means 4
};

struct ModelEntry {
  std::string name, description;
  int side = 32;                     ///< of the images the network is made for; 0 for points
  std::vector<std::string> options;  ///< fields of ModelOptions it has, as settings spell them
};

/// Builds a model with freshly drawn weights (Module::initialize with the key). Unknown names throw
/// ConfigError with the nearest known one.
std::unique_ptr<Model> make_model(const std::string& name, const ModelOptions& options, Key key);

/// The same with weights of 0, for a caller that loads them.
std::unique_ptr<Model> make_blank_model(const std::string& name, const ModelOptions& options);

/// Every known model, in the order to show.
std::vector<ModelEntry> list_models();

}  // namespace noisymix

// Settings of the data set and the network.
#include "tools/schema_row.h"

#include "data/registry.h"
#include "models/registry.h"

namespace noisymix::schema {
namespace {

Texts model_names() {
  Texts names;
  for (const ModelEntry& entry : list_models()) names.push_back(entry.name);
  return names;
}

Texts dataset_names() {
  Texts names;
  for (const auto& entry : list_datasets()) names.push_back(entry.first);
  return names;
}

}  // namespace

Rows data_rows() {
  return {
      key("title", NM_FIELD(title), ConfigRange{}, "What this run is, for logs and plots."),
      key("data.name", NM_FIELD(data.name), dataset_names(),
          "The data set; `noisymix data list` describes them."),
      key("data.path", NM_FIELD(data.path), ConfigRange{},
          "Folder of its files, relative to the working directory. Built-in sets need none."),
      key("data.normalization", NM_FIELD(data.normalization),
          Texts{"half", "cifar10", "cifar10-per-image", "cifar100", "imagenet", "none"},
          "Channel means and deviations: half is 0.5 / 0.5, cifar10 and cifar100 are those of the NFM "
          "code, cifar10-per-image has the smaller deviations 0.2023, 0.1994, 0.2010 of much public code "
          "(D17), none "
          "leaves [0, 1].",
          "D14"),
      key("data.train_limit", NM_FIELD(data.train_limit), at_least(0),
          "Train on the first so many examples; 0 is all."),
      key("data.test_limit", NM_FIELD(data.test_limit), at_least(0),
          "Test on the first so many examples; 0 is all."),
      key("data.seed", NM_FIELD(data.seed), at_least(0), "Seed of built-in sets, independent of train.seed."),
      key("data.image_size", NM_FIELD(data.image_size), between(0, 1024),
          "Image folders, shards, ImageNet layouts: side to resize to; 0 requires images of one size."),
      key("data.paired", NM_FIELD(data.paired), ConfigRange{},
          "Changed versions of the training pictures, of which one at times replaces its original "
          "(stylized training): a folder with the same tree, or files of the same kind. Empty is none."),
      key("data.paired_share", NM_FIELD(data.paired_share), between(0, 1),
          "Probability that a training picture is replaced by its partner from data.paired."),
      key("data.extra", NM_FIELD(data.extra), ConfigRange{},
          "Folder CLASS/ or train/CLASS/ of pictures to train on beside the set's own (DeepAugment). "
          "Empty is none."),
      key("data.cache", NM_FIELD(data.cache), ConfigRange{},
          "Shards and ImageNet layouts: folder for decoded pictures, which are then read instead of decoded "
          "in every epoch; empty "
          "is "
          "none. Made when missing or of other files."),
      key("data.fast_decode", NM_FIELD(data.fast_decode), ConfigRange{},
          "Shards and ImageNet layouts: decode large JPEGs at a half, a quarter or an eighth of their size "
          "where image_size "
          "allows; "
          "faster, but the pixels differ a little."),
      key("data.resize", NM_FIELD(data.transform.resize), between(0, 4096),
          "Test pictures: shorter side to resize to before the crop; 0 leaves the size. ImageNet: 256."),
      key("data.crop", NM_FIELD(data.transform.crop), between(0, 4096),
          "Test pictures: side of the centre crop, and side of the training images; 0 leaves the size. "
          "ImageNet: 224. Training pictures get the same transform with views.crop = \"padded\".",
          "D18"),
  };
}

Rows model_rows() {
  return {
      key("model.name", NM_FIELD(model.name), model_names(),
          "The network; `noisymix models` describes them. The paper's WRN-28-2 was probably run as WRN-28-4.",
          "D5"),
      key("model.width", NM_FIELD(model.options.width), between(0, 16),
          "Factor on the channels; 0 is the model's own default."),
      key("model.depth", NM_FIELD(model.options.depth), between(0, 1000),
          "Wide-ResNet depth, 6 n + 4; 0 is the model's own default."),
      key("model.dropout", NM_FIELD(model.options.dropout), below(-1, 1),
          "Probability of zeroing an activation; negative is the model's own default.", "D8"),
      key("model.activation", NM_FIELD(model.options.activation), Texts{"relu", "gelu"}, "Nonlinearity."),
      key("model.shortcut", NM_FIELD(model.options.shortcut), Texts{"", "activated", "raw"},
          "PreActResNet: identity shortcuts start after batch norm and ReLU (activated, as the published "
          "code) or at the raw block input; empty is the model's own default, activated.",
          "D13"),
      key("model.final_bn", NM_FIELD(model.options.final_bn), ConfigRange{},
          "PreActResNet: batch norm and ReLU before the pooling.", "D13"),
      key("model.growth", NM_FIELD(model.options.growth), between(0, 256),
          "DenseNet: channels that each layer adds. 0 is the model's own default; the DiGN code has 12 where "
          "32 is usual.",
          "D28"),
      key("model.stem", NM_FIELD(model.options.stem), Texts{"", "3x3", "7x7"},
          "ResNet-18 of DiGN: first convolution, 3x3 or, as for Tiny-ImageNet, 7x7 with stride 2; empty is "
          "3x3."),
      key("model.drop_path", NM_FIELD(model.options.drop_path), below(-1, 1),
          "ViT-lite: probability of leaving out the last block's branches, earlier ones less; negative is "
          "its own "
          "default, 0.1."),
      key("model.image_size", NM_FIELD(model.options.image_size), between(0, 1024),
          "ViT-lite: side of the images it is made for, a multiple of the patch; 0 is 32."),
      key("model.patch", NM_FIELD(model.options.patch), between(0, 256),
          "ViT-lite: side of a patch; 0 is 4."),
  };
}

}  // namespace noisymix::schema

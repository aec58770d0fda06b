// Parsed settings of a run. Only tools/ knows that config files exist; lower folders get plain option
// structs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "augment/feature_mix.h"
#include "augment/views.h"
#include "data/registry.h"
#include "models/registry.h"

namespace noisymix {

struct DataConfig {
  std::string name = "shapes";
  std::string path;                    ///< relative paths are resolved against the working directory
  std::string normalization = "half";  ///< half (0.5/0.5), cifar10, cifar100, imagenet, none (D14)
  std::int64_t train_limit = 0, test_limit = 0;  ///< first examples only; 0 means all
  std::uint64_t seed = 0;                        ///< of built-in sets
  int image_size = 0;
  std::string paired;         ///< pictures that replace the originals now and then; empty for none
  double paired_share = 0.5;  ///< with this probability
  std::string extra;          ///< class folders of additional training pictures; empty for none
  std::string cache;          ///< folder of decoded pictures; empty means none
  bool fast_decode = false;   ///< decode JPEGs at a fraction of their size where that is enough
  ImageTransform transform;   ///< of test pictures; views.crop decides what becomes of training pictures
};

struct ModelConfig {
  std::string name = "preactresnet18";
  ModelOptions options;  ///< classes is taken from the data set
};

/// Starting from trained weights (NoisyMix paper, section 4.5).
struct TransferConfig {
  std::string weights;             ///< weight file or run folder; empty starts from scratch
  int freeze = -1;                 ///< last stage whose parameters hold still; -1: none (D36)
  bool replace_head = true;        ///< the last layer starts anew, for other classes
  bool freeze_statistics = false;  ///< norms of the frozen stages keep their running statistics too
};

/// First choice of a scheme: which views of an image.
struct ViewsConfig {
  std::string kind = "plain";   ///< plain (crop/flip image), augmix (clean + augmented), augmix_only, augmax
  int count = 1;                ///< plain: equal copies; augmix: number of augmented views
  std::string crop = "padded";  ///< padded, or random_resized to data.crop
  double area_low = 0.08;       ///< random_resized: smallest share of a picture's area
  CropFlipOptions crop_flip;
  double jitter = 0, rotation = 0;  ///< colour factors 1 -+ jitter, degrees -+ rotation
  std::string policy = "none";      ///< none, cifar, imagenet (AutoAugment), or a policy file
  AugMixOptions augmix;
};

/// Rest of the first choice: views made during the step, from the batch, the network or chance.
struct PerturbConfig {
  std::string kind = "none";  ///< none, gaussian, pgd, free, noise2net, augmax
  bool keep_clean = true;     ///< perturbed copies come after the views; false: one replaces the first view
  int copies = 1;             ///< gaussian
  double noise = 0.2;         ///< gaussian: standard deviation, or the largest of them
  std::string noise_law = "uniform";     ///< uniform: U(0, noise) per image; fixed: noise itself
  double keep_share = 1;                 ///< gaussian: probability that an entry has noise
  std::string mask = "element";          ///< of those entries: element, pixel (D23)
  std::string norm = "linf";             ///< pgd: linf, l2
  double epsilon = 8.0 / 255;            ///< pgd, free: radius in [0, 1] pixels; noise2net: largest step
  int iterations = 7;                    ///< pgd, augmax
  double step = 0;                       ///< pgd, augmax: 0 means 2.5 epsilon / iterations, or 0.1
  std::string start = "zero";            ///< pgd: zero, random, normal (D26, D27)
  bool clip = false;                     ///< pgd: keep pixels in [0, 1] (D26)
  std::string attack = "cross_entropy";  ///< what pgd increases: cross_entropy, kl
  int friendly = 0;                      ///< augmax: stop an image after so many mistakes; 0 never
  double share = 0.75;                   ///< noise2net: of the batch
  int hidden = 2;                        ///< noise2net: channels per slice
  std::string consistency = "none";  ///< of the added copies with the first view: none, kl, jensen_shannon
  double consistency_weight = 0.2;
};

/// Mixing at the input instead of feature mixing.
struct InputMixConfig {
  std::string kind = "features";  ///< features, cutmix, puzzlemix
  double probability = 0.5;       ///< cutmix: of a step
  bool transport = true;          ///< puzzlemix: move blocks towards the mask
};

/// How a trained network answers: once, or as an ensemble over noisy copies of its input (RSE).
struct EnsembleConfig {
  int copies = 1;
  double noise = 0.1;
  std::string mean = "probabilities";  ///< or logits (D25)
};

/// Third choice: which objective over the views.
struct ObjectiveConfig {
  std::string cross_entropy_views = "first";     ///< first or all
  std::string classification = "cross_entropy";  ///< or binary_cross_entropy (PuzzleMix code)
  bool separate_forwards = false;  ///< a forward pass, and batch statistics, for each view (D22)
  double label_smoothing = 0;
  std::string consistency = "none";  ///< none, jensen_shannon
  double consistency_weight = 12;
  double consistency_floor = 1e-7;  ///< clamp of the mixture (D30); 0 means none
};

struct OptimizerConfig {
  std::string name = "sgd";  ///< sgd, adam, adamw
  double lr = 0.1, momentum = 0.9, weight_decay = 5e-4;
  bool nesterov = true;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
};

struct ScheduleConfig {
  std::string name = "cosine";  ///< constant, cosine (per step), multistep
  double floor = 1e-6;          ///< cosine: last learning rate
  std::vector<std::int64_t>
      milestones;  ///< multistep: epochs after which the rate is multiplied by gamma (D39)
  double gamma = 0.1;
  double warmup_epochs = 0;
  double warmup_start = 0;  ///< learning rate at step 0 of the warm-up
};

struct TrainConfig {
  std::int64_t epochs = 200, batch = 128, eval_batch = 256;
  std::uint64_t seed = 1;
  std::string precision = "f32";
  bool deterministic = true;  ///< GPU: only algorithms that give the same bits every time
  bool cuda_graph = true;     ///< GPU: record a step once and replay it
  int workers = 1, prefetch = 2;
  bool drop_last = false;
  std::int64_t replays = 1;           ///< steps taken with each batch ("free" adversarial training)
  std::int64_t max_steps = 0;         ///< stop early; 0 means no limit
  std::int64_t eval_every = 1;        ///< epochs between evaluations on the test split
  std::int64_t checkpoint_every = 1;  ///< epochs between checkpoints
  std::int64_t checkpoint_steps = 0;  ///< also every so many steps; 0 means never
  std::int64_t keep = 2;              ///< checkpoints kept
  std::string report = "last";        ///< last or best (D15)
  bool tensorboard = false;           ///< also write event files for TensorBoard
};

struct Config {
  std::string title;
  DataConfig data;
  ModelConfig model;
  TransferConfig transfer;
  ViewsConfig views;
  PerturbConfig perturb;
  FeatureMixOptions mix;  ///< second choice: what is mixed and noised where
  InputMixConfig input_mix;
  ObjectiveConfig objective;
  OptimizerConfig optimizer;
  ScheduleConfig schedule;
  TrainConfig train;
  EnsembleConfig ensemble;
};

/// Number of views of an image that a training step sees.
int view_count(const ViewsConfig& views);

/// Reads a TOML file, applies "section.key=value" overrides, validates. Throws ConfigError with every mistake
/// (file, line, column, nearest valid key), one a line.
Config load_config(const std::string& path, const std::vector<std::string>& overrides);

/// The same from text; `name` stands for the file in messages.
Config parse_config(const std::string& name, const std::string& text,
                    const std::vector<std::string>& overrides);

/// The complete resolved configuration as TOML; parse_config gives the same Config back.
std::string to_toml(const Config& config);

/// Key, section or (empty) all keys with type, default, range and meaning as plain text; throws ConfigError
/// with the nearest key for an unknown one. The second is the Markdown of docs/config.md.
std::string explain_config(const std::string& section_or_key);
std::string config_reference_markdown();

}  // namespace noisymix

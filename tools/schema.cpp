// The table itself. To add a setting: a field in tools/config.h with its default, one row here.
#include "tools/schema.h"

#include <type_traits>

#include "data/registry.h"
#include "engine/error.h"
#include "models/registry.h"
#include "tools/scheme.h"

namespace noisymix {
namespace {

// A function from Config to a member, const or not, so that a row names its field once.
#define NM_FIELD(member)      \
  [](auto& config) -> auto& { \
    return config.member;     \
  }

using Texts = std::vector<std::string>;

ConfigRange at_least(double low) {
  return {.low = low};
}
ConfigRange above(double low) {
  return {.low = low, .low_open = true};
}
ConfigRange between(double low, double high) {
  return {.low = low, .high = high};
}
ConfigRange below(double low, double high) {
  return {.low = low, .high = high, .high_open = true};
}

template <typename T>
ConfigValue to_value(const T& field) {
  if constexpr (std::is_same_v<T, std::vector<int>> || std::is_same_v<T, std::vector<std::int64_t>>) {
    return std::vector<std::int64_t>(field.begin(), field.end());
  } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    return static_cast<std::int64_t>(field);
  } else {
    return field;
  }
}

template <typename T>
void from_value(T& field, const ConfigValue& value) {
  if constexpr (std::is_same_v<T, std::vector<int>> || std::is_same_v<T, std::vector<std::int64_t>>) {
    field.clear();
    for (const std::int64_t v : std::get<std::vector<std::int64_t>>(value)) {
      field.push_back(static_cast<typename T::value_type>(v));
    }
  } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    field = static_cast<T>(std::get<std::int64_t>(value));
  } else {
    field = std::get<T>(value);
  }
}

// A key whose field is a bool, integer, double, text or list of integers.
template <typename Field>
ConfigKey key(std::string path, Field field, ConfigRange range, std::string meaning,
              std::string difference = "") {
  using T = std::remove_reference_t<decltype(field(std::declval<Config&>()))>;
  if constexpr (std::is_same_v<T, int> || std::is_same_v<T, std::vector<int>>) {
    NM_ASSERT(range.low >= -2147483648.0 && range.high <= 2147483647.0);  // from_value narrows
  }
  return {.path = std::move(path),
          .meaning = std::move(meaning),
          .difference = std::move(difference),
          .range = range,
          .choices = {},
          .read = [field](const Config& config) { return to_value(field(config)); },
          .write = [field](Config& config, const ConfigValue& value) { from_value(field(config), value); }};
}

// A text key with a closed list of values.
template <typename Field>
ConfigKey key(std::string path, Field field, Texts choices, std::string meaning,
              std::string difference = "") {
  ConfigKey result = key(std::move(path), field, ConfigRange{}, std::move(meaning), std::move(difference));
  result.choices = std::move(choices);
  return result;
}

// An enumeration: value i of the enum is spelled names[i].
template <typename Field>
ConfigKey enumeration(std::string path, Field field, Texts names, std::string meaning,
                      std::string difference) {
  using T = std::remove_reference_t<decltype(field(std::declval<Config&>()))>;
  return {.path = std::move(path),
          .meaning = std::move(meaning),
          .difference = std::move(difference),
          .range = {},
          .choices = names,
          .read = [field, names](const Config& config) -> ConfigValue {
            return names[static_cast<std::size_t>(field(config))];
          },
          .write =
              [field, names](Config& config, const ConfigValue& value) {
                const auto& text = std::get<std::string>(value);
                for (std::size_t i = 0; i < names.size(); ++i) {
                  if (names[i] == text) field(config) = static_cast<T>(i);
                }
              }};
}

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

using Rows = std::vector<ConfigKey>;

Rows data_rows() {
  return {
      key("title", NM_FIELD(title), ConfigRange{}, "What this run is, for logs and plots."),
      key("data.name", NM_FIELD(data.name), dataset_names(),
          "The data set; `noisymix data list` describes them."),
      key("data.path", NM_FIELD(data.path), ConfigRange{},
          "Folder of its files, relative to the working directory. Built-in sets need none."),
      key("data.normalization", NM_FIELD(data.normalization),
          Texts{"half", "cifar10", "cifar100", "imagenet", "none"},
          "Channel means and deviations: half is 0.5 / 0.5, cifar10 and cifar100 are those of the NFM "
          "code, none leaves [0, 1].",
          "D14"),
      key("data.train_limit", NM_FIELD(data.train_limit), at_least(0),
          "Train on the first so many examples; 0 is all."),
      key("data.test_limit", NM_FIELD(data.test_limit), at_least(0),
          "Test on the first so many examples; 0 is all."),
      key("data.seed", NM_FIELD(data.seed), at_least(0), "Seed of built-in sets, independent of train.seed."),
      key("data.image_size", NM_FIELD(data.image_size), between(0, 1024),
          "Image folders: side to resize to; 0 requires images of one size."),
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
  };
}

Rows view_rows() {
  return {
      key("views.kind", NM_FIELD(views.kind), Texts{"plain", "augmix", "augmix_only"},
          "Views of an image: plain crop/flip copies, the plain image followed by AugMix views, or AugMix "
          "views alone."),
      key("views.count", NM_FIELD(views.count), between(1, 16),
          "plain: equal copies; otherwise AugMix views, so that augmix with 2 makes three views."),
      key("views.padding", NM_FIELD(views.crop_flip.padding), between(0, 256),
          "Zero padding of the random crop in pixels; 0 switches the crop off."),
      key("views.flip", NM_FIELD(views.crop_flip.flip), ConfigRange{},
          "Flip half of the images left to right."),
      key("views.flip_first", NM_FIELD(views.crop_flip.flip_first), ConfigRange{},
          "Flip before the crop (NoisyMix, AugMix) or after it (NFM)."),
      key("views.severity", NM_FIELD(views.augmix.severity), between(1, 10),
          "Strength of the AugMix operations: levels are uniform on [0.1, severity].", "D12"),
      key("views.random_severity", NM_FIELD(views.augmix.random_severity), ConfigRange{},
          "Draw the AugMix severity 1 .. 10 for each image, as DiGN does.", "D21"),
      key("views.chains", NM_FIELD(views.augmix.width), between(1, 16),
          "AugMix chains of operations per mixture."),
      key("views.depth", NM_FIELD(views.augmix.depth), between(-1, 16),
          "Operations per AugMix chain; -1 draws 1, 2 or 3 for each."),
      key("views.alpha", NM_FIELD(views.augmix.alpha), above(0),
          "AugMix chain weights are Dirichlet(alpha), the weight of the mixture is Beta(alpha, alpha)."),
      key("views.all_operations", NM_FIELD(views.augmix.all_operations), ConfigRange{},
          "AugMix also uses color, contrast, brightness and sharpness, which overlap with the test "
          "corruptions."),
  };
}

Rows mix_rows() {
  return {
      key("mix.enabled", NM_FIELD(mix.mix), ConfigRange{},
          "Mix each batch with a permuted copy of itself. Independent of the noise.", "D6"),
      key("mix.alpha", NM_FIELD(mix.alpha), at_least(0),
          "The mixing weight is Beta(alpha, alpha); 0 makes it 1, which mixes nothing."),
      key("mix.layers", NM_FIELD(mix.layers), between(0, 100),
          "Stages at which to mix and add noise, one drawn each step: 0 is the input, k the output of "
          "stage k. Empty is every stage the model announces.",
          "D7"),
      key("mix.add", NM_FIELD(mix.add), at_least(0), "Level of the additive Gaussian noise; 0 is none.",
          "D9, D10, D11"),
      key("mix.mult", NM_FIELD(mix.mult), at_least(0), "Level of the multiplicative noise; 0 is none.",
          "D9, D10, D11"),
      key("mix.sparse", NM_FIELD(mix.sparse), between(0, 1),
          "Probability that an entry of either noise is left out.", "D2"),
      enumeration(
          "mix.scale", NM_FIELD(mix.scale), {"beta25", "fixed"},
          "Multiply each noise level by one Beta(2,5) draw per view and kind (code), or keep it (paper).",
          "D1"),
      enumeration(
          "mix.view_scale", NM_FIELD(mix.view_scale), {"index", "none"},
          "Multiply the additive level by the number of the view, 1, 2, 3 (code), or keep it (paper).", "D3"),
      enumeration("mix.mult_law", NM_FIELD(mix.law), {"uniform", "normal"},
                  "Law of the multiplicative entries: uniform on (-1, 1) or standard normal.", "D4"),
  };
}

Rows objective_rows() {
  return {
      key("objective.cross_entropy_views", NM_FIELD(objective.cross_entropy_views), Texts{"first", "all"},
          "Views that enter the cross-entropy."),
      key("objective.label_smoothing", NM_FIELD(objective.label_smoothing), below(0, 1),
          "Share s of the label spread over all classes: (1 - s) one-hot + s / classes."),
      key("objective.consistency", NM_FIELD(objective.consistency), list_objectives(),
          "Divergence of the predictions for the views of an image."),
      key("objective.consistency_weight", NM_FIELD(objective.consistency_weight), at_least(0),
          "Factor on the consistency term.", "D38"),
      key("objective.consistency_floor", NM_FIELD(objective.consistency_floor), below(0, 1),
          "Lower clamp of the mean prediction inside the logarithm; 0 is the plain divergence.", "D30"),
  };
}

Rows optimizer_rows() {
  return {
      key("optimizer.name", NM_FIELD(optimizer.name), Texts{"sgd", "adam", "adamw"}, "Update rule.", "D16"),
      key("optimizer.lr", NM_FIELD(optimizer.lr), above(0), "Learning rate, before schedule and warm-up."),
      key("optimizer.momentum", NM_FIELD(optimizer.momentum), below(0, 1),
          "sgd: share of the last step kept."),
      key("optimizer.nesterov", NM_FIELD(optimizer.nesterov), ConfigRange{}, "sgd: look-ahead momentum.",
          "D16"),
      key("optimizer.weight_decay", NM_FIELD(optimizer.weight_decay), at_least(0),
          "Decay of every parameter, biases and batch norm included; adamw decouples it from the gradient."),
      key("optimizer.beta1", NM_FIELD(optimizer.beta1), below(0, 1),
          "adam, adamw: decay of the mean gradient."),
      key("optimizer.beta2", NM_FIELD(optimizer.beta2), below(0, 1),
          "adam, adamw: decay of the mean square."),
      key("optimizer.epsilon", NM_FIELD(optimizer.epsilon), above(0),
          "adam, adamw: added to the denominator."),
  };
}

Rows schedule_rows() {
  return {
      key("schedule.name", NM_FIELD(schedule.name), Texts{"constant", "cosine", "multistep"},
          "Learning rate over time: constant, half a cosine updated every step, or steps at milestones.",
          "D16"),
      key("schedule.floor", NM_FIELD(schedule.floor), at_least(0), "cosine: the learning rate at the end."),
      key("schedule.milestones", NM_FIELD(schedule.milestones), at_least(0),
          "multistep: epochs, counted from 0, after whose end the rate is multiplied by gamma.", "D39"),
      key("schedule.gamma", NM_FIELD(schedule.gamma), {.low = 0, .high = 1, .low_open = true},
          "multistep: the factor."),
      key("schedule.warmup_epochs", NM_FIELD(schedule.warmup_epochs), at_least(0),
          "Epochs over which the rate first rises in a straight line; may be a fraction."),
      key("schedule.warmup_start", NM_FIELD(schedule.warmup_start), at_least(0),
          "Learning rate at the first step of it."),
  };
}

Rows train_rows() {
  return {
      key("train.epochs", NM_FIELD(train.epochs), between(1, 1e6), "Passes over the training split."),
      key("train.batch", NM_FIELD(train.batch), between(1, 65536),
          "Examples per step, each with all its views."),
      key("train.eval_batch", NM_FIELD(train.eval_batch), between(1, 65536),
          "Examples per forward pass of evaluations."),
      key("train.seed", NM_FIELD(train.seed), at_least(0),
          "Seed of weights, order, views, mixing, noise and dropout."),
      key("train.precision", NM_FIELD(train.precision), Texts{"f32", "tf32", "bf16"},
          "Number format of the activations. With bf16, weights, optimizer, statistics and losses stay f32; tf32 is f32 "
          "with products of rounded operands, on GPUs only."),
      key("train.deterministic", NM_FIELD(train.deterministic), ConfigRange{},
          "On a GPU: only algorithms that give the same bits every time. The CPU always does."),
      key("train.cuda_graph", NM_FIELD(train.cuda_graph), ConfigRange{},
          "On a GPU: record a step once and replay it with one call. Does not change the result."),
      key("train.workers", NM_FIELD(train.workers), between(0, 256),
          "Threads that make views; 0 makes them between the steps. Does not change the result."),
      key("train.prefetch", NM_FIELD(train.prefetch), between(1, 1024), "Batches made ahead."),
      key("train.drop_last", NM_FIELD(train.drop_last), ConfigRange{},
          "Leave out the last batch when it is smaller."),
      key("train.max_steps", NM_FIELD(train.max_steps), at_least(0),
          "Stop after so many steps; 0 is no limit."),
      key("train.eval_every", NM_FIELD(train.eval_every), at_least(1),
          "Epochs between evaluations on the test split."),
      key("train.checkpoint_every", NM_FIELD(train.checkpoint_every), at_least(1),
          "Epochs between checkpoints."),
      key("train.checkpoint_steps", NM_FIELD(train.checkpoint_steps), at_least(0),
          "Also write one every so many steps; 0 is never."),
      key("train.keep", NM_FIELD(train.keep), between(1, 1e6), "Newest checkpoints kept."),
      key("train.report", NM_FIELD(train.report), Texts{"last", "best"},
          "Model whose results count: the last one, or the one with the best test accuracy.", "D15"),
      key("train.tensorboard", NM_FIELD(train.tensorboard), ConfigRange{},
          "Also write the curves to RUN/events.out.tfevents.*, which TensorBoard shows. Does not change the "
          "result."),
  };
}

Rows make_schema() {
  Rows all;
  for (Rows rows : {data_rows(), model_rows(), view_rows(), mix_rows(), objective_rows(), optimizer_rows(),
                    schedule_rows(), train_rows()}) {
    for (ConfigKey& row : rows) all.push_back(std::move(row));
  }
  return all;
}

#undef NM_FIELD

}  // namespace

const std::vector<ConfigKey>& config_schema() {
  static const Rows schema = make_schema();
  return schema;
}

const std::vector<std::pair<std::string, std::string>>& config_sections() {
  static const std::vector<std::pair<std::string, std::string>> sections = {
      {"", "Top level"},
      {"data", "The data set and how its pixels become numbers."},
      {"model", "The network."},
      {"views", "First choice of a scheme: which views of an image a step sees."},
      {"mix", "Second choice: what is mixed and noised, and where."},
      {"objective", "Third choice: the loss over the views."},
      {"optimizer", "The update rule."},
      {"schedule", "The learning rate over time."},
      {"train", "The loop: length, batches, seed, evaluations and checkpoints."},
  };
  return sections;
}

}  // namespace noisymix

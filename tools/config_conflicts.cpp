// Rules over several settings at once. Each names the keys involved, so that a message can point into the
// file.
#include <set>

#include "tools/schema.h"

namespace noisymix {
namespace {

class Conflicts {
 public:
  // Notes the message unless `ok`.
  void require(bool ok, std::vector<std::string> keys, std::string message) {
    if (!ok) found_.push_back({std::move(keys), std::move(message)});
  }
  std::vector<ConfigConflict> take() { return std::move(found_); }

 private:
  std::vector<ConfigConflict> found_;
};

bool holds_points(const DataConfig& data) {
  return data.name == "circles" || data.name == "polygon";
}
bool is_built_in(const DataConfig& data) {
  return holds_points(data) || data.name == "shapes";
}

void check_data(const Config& config, Conflicts& conflicts) {
  const DataConfig& data = config.data;
  conflicts.require(is_built_in(data) || !data.path.empty(), {"data.path", "data.name"},
                    "the data set " + data.name + " needs the folder of its files");
  const bool decodes =
      data.name == "shards" || data.name.find("image") != std::string::npos;  // the ImageNet layouts
  conflicts.require(
      decodes || data.cache.empty(), {"data.cache", "data.name"},
      "only shards and the ImageNet layouts are decoded again in every epoch, not " + data.name);
  conflicts.require(decodes || !data.fast_decode, {"data.fast_decode", "data.name"},
                    "only shards and the ImageNet layouts can be decoded faster, not " + data.name);
  conflicts.require(!data.fast_decode || data.image_size > 0, {"data.fast_decode", "data.image_size"},
                    "needs data.image_size: the size that must remain");
  conflicts.require(!holds_points(data) || config.views.kind == "plain", {"views.kind", "data.name"},
                    config.views.kind + " needs images, but " + data.name + " holds points in the plane");
  conflicts.require(!holds_points(data) || config.views.policy == "none", {"views.policy", "data.name"},
                    "needs images, but " + data.name + " holds points in the plane");
  conflicts.require(!holds_points(data) || data.extra.empty(), {"data.extra", "data.name"},
                    "needs images, but " + data.name + " holds points in the plane");
  conflicts.require(!is_built_in(data) || data.paired.empty(), {"data.paired", "data.name"},
                    "needs a data set from files, but " + data.name + " is built in");
  const bool points_model = config.model.name.starts_with("toy-");
  conflicts.require(holds_points(data) == points_model, {"model.name", "data.name"},
                    "the model " + config.model.name + " does not fit the data set " + data.name +
                        (points_model ? ", which holds images" : ""));
}

void check_transfer(const Config& config, Conflicts& conflicts) {
  const TransferConfig& transfer = config.transfer;
  conflicts.require(transfer.freeze != 0, {"transfer.freeze"}, "must be -1 (nothing) or at least 1");
  conflicts.require(transfer.freeze < 1 || !transfer.weights.empty(), {"transfer.freeze", "transfer.weights"},
                    "needs transfer.weights: random weights are not worth keeping");
  conflicts.require(!transfer.freeze_statistics || transfer.freeze >= 1,
                    {"transfer.freeze_statistics", "transfer.freeze"}, "needs transfer.freeze >= 1");
}

void check_sizes(const Config& config, Conflicts& conflicts) {
  const ImageTransform& transform = config.data.transform;
  const bool resized_crop = config.views.crop == "random_resized";
  conflicts.require(!holds_points(config.data) || !(transform.active() || resized_crop),
                    {"data.crop", "data.resize", "views.crop", "data.name"},
                    config.data.name + " holds points in the plane, which have no size");
  conflicts.require(!resized_crop || transform.crop > 0, {"views.crop", "data.crop"},
                    "random_resized needs data.crop, the side of the images");
  conflicts.require(!has_mixed_sizes(config.data.name) || transform.crop > 0, {"data.crop", "data.name"},
                    "pictures of " + config.data.name +
                        " differ in size: set data.crop and data.resize, for example 224 and 256");
  conflicts.require(transform.resize == 0 || transform.crop == 0 || transform.resize >= transform.crop,
                    {"data.resize", "data.crop"}, "is below data.crop");
}

void check_views(const Config& config, Conflicts& conflicts) {
  const int views = config.perturb.kind == "augmax" ? 3 : view_count(config.views);  // after the step's own
  const ObjectiveConfig& objective = config.objective;
  conflicts.require(objective.consistency == "none" || views >= 2,
                    {"objective.consistency", "views.kind", "views.count"},
                    "consistency needs at least 2 views, views.kind and views.count give 1");
  conflicts.require(objective.consistency != "none" || objective.cross_entropy_views == "all" || views == 1,
                    {"objective.cross_entropy_views", "views.kind", "views.count"},
                    std::to_string(views) +
                        " views, but only the first enters the loss: set cross_entropy_views = \"all\" or "
                        "a consistency");
  conflicts.require(config.views.kind != "augmax" || config.views.count == 1, {"views.count", "views.kind"},
                    "augmax makes one AugMix view: leave it at 1; views.chains says how many chains follow");
  conflicts.require(config.views.augmix.depth != 0, {"views.depth"}, "must be -1 (random) or at least 1");
}

void check_perturb(const Config& config, Conflicts& conflicts) {
  const PerturbConfig& perturb = config.perturb;
  const bool copies_added = perturb.kind == "gaussian" || perturb.kind == "pgd";
  conflicts.require(
      perturb.consistency == "none" || (copies_added && perturb.keep_clean),
      {"perturb.consistency", "perturb.kind", "perturb.keep_clean"},
      "compares perturbed copies with the first view, which takes perturb.kind = \"gaussian\" or \"pgd\" "
      "with keep_clean = true");
  conflicts.require(!copies_added || !perturb.keep_clean || perturb.consistency != "none",
                    {"perturb.keep_clean", "perturb.consistency"},
                    "the perturbed copies do not enter the loss: set perturb.consistency, or keep_clean = "
                    "false to train on "
                    "them");
  conflicts.require(perturb.keep_clean || perturb.copies == 1 || perturb.kind != "gaussian",
                    {"perturb.copies", "perturb.keep_clean"},
                    "without keep_clean one copy replaces the first view");
  conflicts.require(perturb.kind == "none" || perturb.kind == "gaussian" || !holds_points(config.data),
                    {"perturb.kind", "data.name"},
                    perturb.kind + " needs images, but " + config.data.name + " holds points");
  conflicts.require(
      (perturb.kind == "augmax") == (config.views.kind == "augmax"), {"perturb.kind", "views.kind"},
      "views.kind = \"augmax\" makes the chains that perturb.kind = \"augmax\" mixes; neither works alone");
  conflicts.require(perturb.kind != "free" || view_count(config.views) == 1,
                    {"perturb.kind", "views.kind", "views.count"}, "free trains on a single view");
}

void check_mix(const Config& config, Conflicts& conflicts) {
  const InputMixConfig& input = config.input_mix;
  conflicts.require(input.kind == "features" || config.mix.mix, {"mix.kind", "mix.enabled"},
                    "needs mix.enabled = true");
  conflicts.require(input.kind == "features" || (config.mix.add == 0 && config.mix.mult == 0),
                    {"mix.kind", "mix.add", "mix.mult"},
                    "noise at a stage belongs to mix.kind = \"features\"");
  conflicts.require(input.kind == "features" || !holds_points(config.data), {"mix.kind", "data.name"},
                    input.kind + " needs images, but " + config.data.name + " holds points");
  conflicts.require(
      config.objective.classification == "cross_entropy" || config.objective.cross_entropy_views == "first",
      {"objective.classification", "objective.cross_entropy_views"},
      "binary_cross_entropy counts the first view only");
  const std::set<int> distinct(config.mix.layers.begin(), config.mix.layers.end());
  conflicts.require(distinct.size() == config.mix.layers.size(), {"mix.layers"}, "names a stage twice");
}

void check_optimizer(const Config& config, Conflicts& conflicts) {
  const OptimizerConfig& optimizer = config.optimizer;
  conflicts.require(optimizer.name != "sgd" || !optimizer.nesterov || optimizer.momentum > 0,
                    {"optimizer.nesterov", "optimizer.momentum"}, "needs optimizer.momentum > 0");
  const ScheduleConfig& schedule = config.schedule;
  conflicts.require(schedule.name != "cosine" || schedule.floor <= optimizer.lr,
                    {"schedule.floor", "optimizer.lr"}, "is above optimizer.lr");
  conflicts.require(schedule.warmup_start <= optimizer.lr, {"schedule.warmup_start", "optimizer.lr"},
                    "is above optimizer.lr");
  conflicts.require(schedule.warmup_epochs <= static_cast<double>(config.train.epochs),
                    {"schedule.warmup_epochs", "train.epochs"}, "is longer than train.epochs");
  conflicts.require(schedule.name != "multistep" || !schedule.milestones.empty(),
                    {"schedule.milestones", "schedule.name"}, "multistep needs at least one epoch");
  bool increasing = true;
  for (std::size_t i = 1; i < schedule.milestones.size(); ++i) {
    increasing = increasing && schedule.milestones[i - 1] < schedule.milestones[i];
  }
  conflicts.require(increasing, {"schedule.milestones"}, "must increase");
}

}  // namespace

int view_count(const ViewsConfig& views) {
  if (views.kind == "augmax") return 2 + views.augmix.width;  // clean, mixed, and the chains of another draw
  return views.kind == "augmix" ? views.count + 1 : views.count;
}

std::vector<ConfigConflict> find_conflicts(const Config& config) {
  Conflicts conflicts;
  check_data(config, conflicts);
  check_transfer(config, conflicts);
  check_sizes(config, conflicts);
  check_views(config, conflicts);
  check_perturb(config, conflicts);
  check_mix(config, conflicts);
  check_optimizer(config, conflicts);
  return conflicts.take();
}

}  // namespace noisymix

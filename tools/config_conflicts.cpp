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
  conflicts.require(!holds_points(data) || config.views.kind == "plain", {"views.kind", "data.name"},
                    config.views.kind + " needs images, but " + data.name + " holds points in the plane");
  const bool points_model = config.model.name.starts_with("toy-");
  conflicts.require(holds_points(data) == points_model, {"model.name", "data.name"},
                    "the model " + config.model.name + " does not fit the data set " + data.name +
                        (points_model ? ", which holds images" : ""));
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
  const int views = view_count(config.views);
  const ObjectiveConfig& objective = config.objective;
  conflicts.require(objective.consistency == "none" || views >= 2,
                    {"objective.consistency", "views.kind", "views.count"},
                    "consistency needs at least 2 views, views.kind and views.count give 1");
  conflicts.require(objective.consistency != "none" || objective.cross_entropy_views == "all" || views == 1,
                    {"objective.cross_entropy_views", "views.kind", "views.count"},
                    std::to_string(views) +
                        " views, but only the first enters the loss: set cross_entropy_views = \"all\" or "
                        "a consistency");
  conflicts.require(config.views.augmix.depth != 0, {"views.depth"}, "must be -1 (random) or at least 1");
}

void check_mix(const Config& config, Conflicts& conflicts) {
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
  return views.kind == "augmix" ? views.count + 1 : views.count;
}

std::vector<ConfigConflict> find_conflicts(const Config& config) {
  Conflicts conflicts;
  check_data(config, conflicts);
  check_sizes(config, conflicts);
  check_views(config, conflicts);
  check_mix(config, conflicts);
  check_optimizer(config, conflicts);
  return conflicts.take();
}

}  // namespace noisymix

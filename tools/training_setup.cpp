#include "tools/training_setup.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include "data/registry.h"
#include "engine/optim/adam.h"
#include "engine/optim/sgd.h"
#include "models/noisy_ensemble.h"

namespace noisymix {

std::shared_ptr<const Dataset> open_split(const Config& config, bool train, const FillObserver& observer) {
  const DataConfig& data = config.data;
  NM_CHECK_AS(DataError, data.path.empty() || std::filesystem::exists(data.path), data.path,
              ": no such folder; data.path names the one that holds the files of ", data.name,
              ", for example --set data.path=/data/", data.name);
  DatasetOptions options;
  options.name = data.name;
  options.path = data.path;
  options.train = train;
  options.seed = data.seed;
  options.limit = train ? data.train_limit : data.test_limit;
  options.image_size = data.image_size;
  options.paired = data.paired;
  options.paired_share = data.paired_share;
  options.extra = data.extra;
  options.cache = data.cache;
  options.fast_decode = data.fast_decode;
  options.progress = observer.progress;
  options.should_stop = observer.should_stop;
  if (!train || config.views.crop != "random_resized") options.transform = data.transform;
  return open_dataset(options);
}

ModelCard make_card(const Config& config, const Dataset& train_data) {
  ModelCard card;
  card.architecture = config.model.name;
  card.options = config.model.options;
  card.options.classes = train_data.classes();
  card.sample_shape = train_data.sample_shape();
  const ImageTransform& transform = config.data.transform;
  if (transform.crop > 0) card.sample_shape = {transform.crop, transform.crop, card.sample_shape.back()};
  card.resize = transform.resize;
  card.options.inputs =
      static_cast<int>(card.sample_shape.back());  // channels are last, features the only size
  card.class_names = train_data.class_names();
  card.normalization = config.data.normalization;
  card.version = NOISYMIX_VERSION;
  card.data = config.data.name;
  return card;
}

std::unique_ptr<Model> with_ensemble(std::unique_ptr<Model> model, const EnsembleConfig& config) {
  if (config.copies == 1) return model;
  return std::make_unique<NoisyEnsemble>(
      std::move(model), NoisyEnsembleOptions{config.copies, config.noise, config.mean == "probabilities"});
}

std::unique_ptr<Optimizer> make_optimizer(const OptimizerConfig& config, const Module::Named& parameters) {
  if (config.name == "sgd") {
    SgdOptions sgd;
    sgd.momentum = config.momentum;
    sgd.nesterov = config.nesterov;
    sgd.weight_decay = config.weight_decay;
    return std::make_unique<Sgd>(parameters, sgd);
  }
  NM_CHECK_AS(ConfigError, config.name == "adam" || config.name == "adamw",
              "optimizer.name is sgd, adam or adamw, not \"", config.name, '"');
  AdamOptions adam;
  adam.beta1 = config.beta1;
  adam.beta2 = config.beta2;
  adam.epsilon = config.epsilon;
  adam.weight_decay = config.weight_decay;
  adam.decoupled = config.name == "adamw";
  return std::make_unique<Adam>(parameters, adam);
}

Schedule make_schedule(const Config& config, std::int64_t steps_per_epoch) {
  const ScheduleConfig& schedule = config.schedule;
  const double lr = config.optimizer.lr;
  const std::int64_t total = config.train.epochs * steps_per_epoch;
  const auto warm_up =
      static_cast<std::int64_t>(std::llround(schedule.warmup_epochs * static_cast<double>(steps_per_epoch)));
  Schedule after;
  if (schedule.name == "constant") {
    after = constant_schedule(lr);
  } else if (schedule.name == "cosine") {
    after = cosine_schedule(lr, schedule.floor, std::max<std::int64_t>(1, total - warm_up));
  } else if (schedule.name == "multistep") {
    std::vector<std::int64_t> steps;  // milestone e, counted from 0, acts from the first step of epoch e + 1
    for (const std::int64_t epoch : schedule.milestones)
      steps.push_back((epoch + 1) * steps_per_epoch - warm_up);
    after = multi_step_schedule(lr, std::move(steps), schedule.gamma);
  } else {
    fail<ConfigError>("schedule.name is constant, cosine or multistep, not \"", schedule.name, '"');
  }
  return warm_up > 0 ? warm_up_schedule(schedule.warmup_start, warm_up, std::move(after)) : after;
}

std::unique_ptr<DataLoader> make_test_loader(std::shared_ptr<const Dataset> data, const Config& config) {
  LoaderOptions loading;
  loading.batch = config.train.eval_batch;
  loading.shuffle = false;
  loading.workers = config.train.workers;
  loading.prefetch = config.train.prefetch;
  std::shared_ptr<const Views> views = make_plain_views(make_normalization(config.data.normalization));
  return std::make_unique<DataLoader>(std::move(data), std::move(views), loading, Key(0));
}

}  // namespace noisymix

// Everything a training run needs, built from its Config.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "data/dataset.h"
#include "data/loader.h"
#include "engine/optim/optimizer.h"
#include "engine/optim/schedule.h"
#include "tools/checkpoint.h"
#include "tools/scheme.h"

namespace noisymix {

/// Told while a cache of decoded pictures is being filled; asked whether to stop, which ends it with a
/// DataError.
struct FillObserver {
  std::function<void(std::int64_t done, std::int64_t total)> progress{};
  std::function<bool()> should_stop{};
};

/// The training or test split. Pictures get the test transform, but for those of the training split that
/// views.crop = "random_resized" takes whole.
std::shared_ptr<const Dataset> open_split(const Config& config, bool train,
                                          const FillObserver& observer = {});

/// What the weight files of a run say, given its training set.
ModelCard make_card(const Config& config, const Dataset& train_data);

/// The network as it answers after training: itself, or an average over noisy copies of its input.
std::unique_ptr<Model> with_ensemble(std::unique_ptr<Model> model, const EnsembleConfig& config);

std::unique_ptr<Optimizer> make_optimizer(const OptimizerConfig& config, const Module::Named& parameters);
Schedule make_schedule(const Config& config, std::int64_t steps_per_epoch);

/// Ordered, unaugmented batches of a split.
std::unique_ptr<DataLoader> make_test_loader(std::shared_ptr<const Dataset> data, const Config& config);

}  // namespace noisymix

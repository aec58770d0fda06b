#include "tools/test_set.h"

#include "data/registry.h"
#include "engine/error.h"

namespace noisymix {

std::shared_ptr<const Dataset> open_test_set(const LoadedRun& run, const TestSetOptions& options) {
  DatasetOptions wanted;
  wanted.train = false;
  wanted.name = run.card.data;
  if (run.config) {
    wanted.name = run.config->data.name;
    wanted.path = run.config->data.path;
    wanted.seed = run.config->data.seed;
    wanted.limit = run.config->data.test_limit;
    wanted.image_size = run.config->data.image_size;
    wanted.transform = run.config->data.transform;
  } else if (run.card.resize > 0 && run.card.sample_shape.size() == 3) {
    wanted.transform = {run.card.resize, static_cast<int>(run.card.sample_shape[0])};
  }
  if (!options.dataset.empty()) wanted.name = options.dataset;
  if (!options.path.empty()) wanted.path = options.path;
  if (options.limit != 0) wanted.limit = options.limit == kWholeSet ? 0 : options.limit;
  if (wanted.image_size == 0 && !wanted.transform.active() && run.card.sample_shape.size() == 3)
    wanted.image_size = static_cast<int>(run.card.sample_shape[0]);
  if (has_mixed_sizes(wanted.name) && !wanted.transform.active() && run.card.sample_shape.size() == 3) {
    const int side = static_cast<int>(run.card.sample_shape[0]);
    wanted.transform = {side, side};
  }
  std::shared_ptr<const Dataset> data = open_dataset(wanted);
  NM_CHECK_AS(ConfigError, data->sample_shape() == run.card.sample_shape, run.weights.string(),
              ": the model expects samples of ", Shape(run.card.sample_shape), ", the data set has ",
              Shape(data->sample_shape()));
  NM_CHECK_AS(ConfigError, data->classes() == run.card.classes(), run.weights.string(), ": the model knows ",
              run.card.classes(), " classes, the data set has ", data->classes());
  return data;
}

}  // namespace noisymix

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
    wanted.fast_decode = run.config->data.fast_decode;
    if (options.path.empty() && options.limit == 0) wanted.cache = run.config->data.cache;
    wanted.transform = run.config->data.transform;
  } else if (run.card.resize > 0 && run.card.sample_shape.size() == 3) {
    wanted.transform = {run.card.resize, static_cast<int>(run.card.sample_shape[0])};
  }
  if (!options.dataset.empty()) wanted.name = options.dataset;
  if (!options.path.empty()) wanted.path = options.path;
  if (options.limit != 0) wanted.limit = options.limit == kWholeSet ? 0 : options.limit;
  if (wanted.image_size == 0 && !wanted.transform.active() && run.card.sample_shape.size() == 3)
    wanted.image_size = static_cast<int>(run.card.sample_shape[0]);
  NM_CHECK_AS(ConfigError, !wanted.name.empty(), run.weights.string(),
              ": the file does not say which data set its model belongs to; name one with --dataset");
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

std::shared_ptr<const Dataset> open_common_test_set(const std::vector<std::string>& runs,
                                                    const TestSetOptions& options) {
  std::shared_ptr<const Dataset> data;
  for (const std::string& path : runs) {
    const auto own = open_test_set(load_run(path), options);
    if (!data) data = own;
    NM_CHECK_AS(ConfigError, own->description() == data->description(), path, " was tested on '",
                own->description(), "', ", runs.front(), " on '", data->description(),
                "': models are compared on one test set; choose it with --dataset and --data");
  }
  return data;
}

}  // namespace noisymix

// The table itself. To add a setting: a field in tools/config.h with its default, one row in schema_data.cpp,
// schema_scheme.cpp, schema_train.cpp or schema_transfer.cpp.
#include "tools/schema.h"

#include "tools/schema_row.h"

namespace noisymix {
namespace {

using namespace schema;

Rows make_schema() {
  Rows all;
  for (Rows rows : {data_rows(), model_rows(), transfer_rows(), view_rows(), perturb_rows(), mix_rows(),
                    objective_rows(), optimizer_rows(), schedule_rows(), train_rows(), ensemble_rows()}) {
    for (ConfigKey& row : rows) all.push_back(std::move(row));
  }
  return all;
}

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
      {"transfer", "Starting from trained weights instead of random ones."},
      {"views", "First choice of a scheme: which views of an image a step sees."},
      {"perturb",
       "Rest of the first choice: views made during the step, from the batch, the network or chance."},
      {"mix", "Second choice: what is mixed and noised, and where."},
      {"objective", "Third choice: the loss over the views."},
      {"optimizer", "The update rule."},
      {"schedule", "The learning rate over time."},
      {"train", "The loop: length, batches, seed, evaluations and checkpoints."},
      {"ensemble", "How the trained network answers: once, or as an average over noisy copies (RSE)."},
  };
  return sections;
}

}  // namespace noisymix

#include "tools/import_weights.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>

#include "data/file_bytes.h"
#include "engine/error.h"
#include "tools/scheme.h"
#include "tools/weights.h"

namespace noisymix {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostNameBytes = 1 << 22;

ModelEntry find_entry(const std::string& name) {
  for (ModelEntry& entry : list_models())
    if (entry.name == name) return entry;
  make_model(name, {}, Key(0));  // throws with the nearest name
  fail<InternalError>("[import] ", name, " is missing in the list of networks");
}

/// The network's options as settings give them, checked like those of a configuration.
ModelOptions parse_options(const ModelEntry& entry, const std::vector<std::string>& settings) {
  std::vector<std::string> overrides = {"model.name=" + entry.name};
  if (entry.side == 0) overrides.emplace_back("data.name=circles");  // the default holds images
  for (const std::string& setting : settings) {
    NM_CHECK_AS(ConfigError, setting.starts_with("model.") && !setting.starts_with("model.name"),
                "[import] --set takes options of the network, model.KEY=VALUE, not ", setting);
    overrides.push_back(setting);
  }
  return parse_config("import", "", overrides).model.options;
}

/// Number of classes of the last layer's weights.
int infer_classes(const WeightFile& weights, const std::string& model, const ModelOptions& options) {
  const std::string head = make_model(model, options, Key(0))->head() + ".weight";
  for (const auto& [name, tensor] : weights.tensors) {
    if (name != head || tensor.rank() < 2 || tensor.numel() == 0) continue;
    if (tensor.dim(0) <= std::numeric_limits<int>::max()) return static_cast<int>(tensor.dim(0));
  }
  fail<ConfigError>(
      weights.path.string(), ": the number of classes cannot be told, ",
      head == ".weight" ? model + " has no single last layer" : "there is no matrix " + head + " in the file",
      "; give --classes");
}

std::vector<std::string> read_class_names(const fs::path& path, int classes) {
  std::vector<std::string> names;
  if (path.empty()) {
    for (int k = 0; k < classes; ++k) names.push_back(std::to_string(k));
    return names;
  }
  std::error_code error;
  const std::uint64_t size = fs::file_size(path, error);
  NM_CHECK_AS(DataError, !error && size <= kMostNameBytes, path.string(),
              ": expected a text file with a class name per line");
  std::ifstream in(path, std::ios::binary);
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r')) line.pop_back();
    names.push_back(line);
  }
  while (!names.empty() && names.back().empty()) names.pop_back();
  NM_CHECK_AS(ConfigError, static_cast<int>(names.size()) == classes, path.string(), ": ", names.size(),
              " class names, but the network has ", classes, " classes");
  return names;
}

}  // namespace

ModelCard import_weights(const ImportOptions& options) {
  NM_CHECK_AS(ConfigError, !fs::exists(options.out), options.out.string(),
              ": there is such a file already; choose another --out or remove it");
  const ModelEntry entry = find_entry(options.model);
  const WeightFile weights = read_weight_file(options.file);

  ModelCard card;
  card.architecture = options.model;
  card.options = parse_options(entry, options.settings);
  const bool points = entry.side == 0;
  card.options.inputs = points ? 2 : options.channels;
  card.options.classes =
      options.classes > 0 ? options.classes : infer_classes(weights, options.model, card.options);
  const int side = options.size > 0 ? options.size : entry.side;
  card.sample_shape =
      points ? std::vector<std::int64_t>{2} : std::vector<std::int64_t>{side, side, options.channels};
  card.normalization = options.normalization;
  if (card.normalization.empty()) card.normalization = points ? "none" : side >= 224 ? "imagenet" : "half";
  make_normalization(card.normalization);  // throws for unknown names
  card.class_names = read_class_names(options.class_names, card.options.classes);
  card.version = NOISYMIX_VERSION;
  card.data = options.data;

  const std::unique_ptr<Model> model = make_model(card.architecture, card.options, Key(0));
  try {
    load_weights(weights, *model);
  } catch (const DataError& error) {
    fail<DataError>("[import] ", card.architecture, " with ", card.options.classes,
                    " classes: ", error.what());
  }
  save_weights(options.out, *model, card);
  return card;
}

}  // namespace noisymix

#include "tools/analysis/toy_boundaries.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "engine/error.h"
#include "tools/csv_field.h"
#include "tools/ready_configs.h"
#include "tools/trainer.h"

namespace noisymix {
namespace {

const char* name_of(ToySet set) {
  return set == ToySet::circles ? "circles" : "polygon";
}

Config config_of(const std::string& name, int seed, const std::vector<std::string>& overrides) {
  const ConfigSource source = find_config(name);
  std::vector<std::string> settings = overrides;
  settings.push_back("train.seed=" + std::to_string(seed));
  return parse_config(source.name, source.text, settings);
}

/// Place of the median, of the lower of two; the first one of equals.
std::size_t median_place(std::vector<double> values) {
  const std::vector<double> all = values;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return static_cast<std::size_t>(std::find(all.begin(), all.end(), *middle) - all.begin());
}

/// To four digits: a figure shows no more, and a file of them is a fifth as long.
std::vector<double> rounded(std::vector<double> values) {
  for (double& value : values) value = std::round(value * 1e4) / 1e4;
  return values;
}

std::string accuracy_text(const SeedSpread& accuracy) {
  char text[48];
  if (accuracy.runs > 1)
    std::snprintf(text, sizeof text, "%.1f \u00b1 %.1f %%", 100 * accuracy.mean, 100 * accuracy.deviation);
  else
    std::snprintf(text, sizeof text, "%.1f %%", 100 * accuracy.mean);
  return text;
}

}  // namespace

std::vector<std::string> toy_schemes(ToySet set) {
  if (set == ToySet::circles)
    return {"toy-circles-baseline",    "toy-circles-dropout", "toy-circles-weight-decay",
            "toy-circles-noise",       "toy-circles-mixup",   "toy-circles-manifold-mixup",
            "toy-circles-noisy-mixup", "toy-circles-nfm"};
  return {"toy-polygon-baseline",           "toy-polygon-noise",
          "toy-polygon-manifold-mixup",     "toy-polygon-nfm",
          "toy-polygon-manifold-mixup-jsd", "toy-polygon-noisymix"};
}

std::vector<ToyBoundary> toy_boundaries(
    const ToyBoundaryOptions& options,
    const std::function<void(const std::string& title, int done, int total)>& progress) {
  NM_CHECK_AS(ConfigError, options.seeds >= 1 && options.grid >= 2,
              "[boundaries] expects at least one seed and two points per axis");
  const std::vector<std::string> names = toy_schemes(options.set);
  const int total = static_cast<int>(names.size()) * options.seeds;
  int done = 0;
  std::vector<ToyBoundary> result;
  for (const std::string& name : names) {
    ToyBoundary scheme{.config = name, .panel = {}, .accuracies = {}, .accuracy = {}};
    std::vector<BoundaryPanel> panels;
    for (int seed = 1; seed <= options.seeds; ++seed) {
      const Config config = config_of(name, seed, options.overrides);
      if (progress) progress(config.title, done, total);
      TrainObserver silent;
      Trainer trainer(config, {.run = {}, .should_stop = options.should_stop, .device = options.device},
                      silent);
      if (trainer.run().end == TrainEnd::interrupted) return result;
      BoundaryPanel panel = compute_boundary(trainer.model(), config, {.grid = options.grid});
      scheme.accuracies.push_back(panel.accuracy);
      panels.push_back(std::move(panel));
      ++done;
    }
    scheme.accuracy = spread_of(scheme.accuracies);
    const std::size_t drawn = median_place(scheme.accuracies);
    scheme.drawn_seed = static_cast<int>(drawn) + 1;
    scheme.panel = std::move(panels[drawn]);
    result.push_back(std::move(scheme));
  }
  if (progress) progress("", done, total);
  return result;
}

std::string toy_boundaries_json(const ToyBoundaryOptions& options, const std::vector<ToyBoundary>& schemes) {
  nlohmann::ordered_json json{{"analysis", "boundaries"}, {"toy", name_of(options.set)},
                              {"seeds", options.seeds},   {"overrides", options.overrides},
                              {"grid", options.grid},     {"deviation", "sample"}};
  json["schemes"] = nlohmann::ordered_json::array();
  for (const ToyBoundary& scheme : schemes) {
    const BoundaryPanel& panel = scheme.panel;
    json["schemes"].push_back({{"config", scheme.config},
                               {"title", panel.title},
                               {"accuracy", scheme.accuracy.mean},
                               {"deviation", scheme.accuracy.deviation},
                               {"accuracies", scheme.accuracies},
                               {"drawn_seed", scheme.drawn_seed},
                               {"left", panel.center_x - panel.half_side},
                               {"top", panel.center_y + panel.half_side},
                               {"side", 2 * panel.half_side},
                               {"probability", rounded(panel.probability)}});
  }
  return json.dump() + "\n";
}

std::string toy_boundaries_csv(const std::vector<ToyBoundary>& schemes) {
  std::string out = "config,title,seed,accuracy\n";
  for (const ToyBoundary& scheme : schemes) {
    for (std::size_t i = 0; i < scheme.accuracies.size(); ++i) {
      char line[64];
      std::snprintf(line, sizeof line, ",%zu,%.9g\n", i + 1, scheme.accuracies[i]);
      out += scheme.config + "," + csv_field(scheme.panel.title) + line;
    }
  }
  return out;
}

std::string toy_boundaries_svg(const ToyBoundaryOptions& options, const std::vector<ToyBoundary>& schemes) {
  std::vector<BoundaryFigurePanel> panels;
  for (const ToyBoundary& scheme : schemes) panels.push_back({&scheme.panel, accuracy_text(scheme.accuracy)});
  return boundary_figure(panels, options.grid, options.set == ToySet::circles ? 4 : 3);
}

}  // namespace noisymix

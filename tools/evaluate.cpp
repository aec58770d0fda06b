#include "tools/evaluate.h"

#include <cstdio>

#include <nlohmann/json.hpp>

#include "augment/views.h"
#include "data/loader.h"
#include "engine/autograd.h"

namespace noisymix {
namespace {

// One column of the result: a perturbation and what has been collected under it.
struct Column {
  std::function<Tensor(const Tensor& x, std::int64_t first)> perturb;
  ScoreKeeper keeper;
};

std::vector<Column> make_columns(const EvaluateOptions& options, bool images, EvaluationReport& report) {
  const Key key = Key(options.seed).child("evaluate");
  std::vector<Column> columns;
  columns.push_back({[](const Tensor& x, std::int64_t) { return x; }, {}});
  for (const double sigma : options.white_noise) {
    report.perturbed.push_back({"white_noise", sigma, {}});
    columns.push_back({[=](const Tensor& x, std::int64_t first) {
                         return add_white_noise(x, sigma, key.child("white_noise"), first);
                       },
                       {}});
  }
  if (!images) return columns;
  for (const double level : options.salt_pepper) {
    report.perturbed.push_back({"salt_pepper", level, {}});
    columns.push_back({[=, channels = options.channels](const Tensor& x, std::int64_t first) {
                         return add_salt_pepper(x, level, channels, key.child("salt_pepper"), first);
                       },
                       {}});
  }
  return columns;
}

std::string line(const char* name, double level, const Scores& scores) {
  char shown_level[16] = "", text[96];
  if (level > 0) std::snprintf(shown_level, sizeof shown_level, "%g", level);
  std::snprintf(text, sizeof text, "%-14s %6s %9.2f %% %9.4f %8.2f %%\n", name, shown_level, 100 * scores.accuracy,
                scores.loss, 100 * scores.calibration_error);
  return text;
}

nlohmann::ordered_json json_of(const Scores& scores) {
  return {{"accuracy", scores.accuracy}, {"loss", scores.loss}, {"ece", scores.calibration_error}};
}

}  // namespace

EvaluationReport evaluate_model(Model& model, std::shared_ptr<const Dataset> data, const Normalization& normalization,
                                const EvaluateOptions& options,
                                const std::function<void(std::int64_t done, std::int64_t total)>& progress) {
  const NoGrad unrecorded;
  EvaluationReport report;
  report.data = data->description();
  std::vector<Column> columns = make_columns(options, data->sample_shape().size() == 3, report);

  LoaderOptions loading;
  loading.batch = options.batch;
  loading.shuffle = false;
  loading.workers = options.workers;
  DataLoader loader(data, make_plain_views(normalization), loading, Key(options.seed));
  loader.start_epoch(0);
  std::int64_t done = 0;
  for (Batch batch; loader.next(batch);) {
    for (Column& column : columns) {
      column.keeper.add(model(column.perturb(batch.images, done), Context::evaluation()), batch.labels);
    }
    done += batch.size();
    if (progress) progress(done, data->size());
  }
  report.clean = columns[0].keeper.scores();
  for (std::size_t i = 0; i < report.perturbed.size(); ++i) report.perturbed[i].scores = columns[i + 1].keeper.scores();
  return report;
}

std::string to_text(const EvaluationReport& report) {
  std::string out = report.data + "\n\n";
  out += "perturbation    level   accuracy        loss        ECE\n";
  out += line("clean", 0, report.clean);
  for (const PerturbedScores& row : report.perturbed) {
    out += line(row.perturbation == "white_noise" ? "white noise" : "salt & pepper", row.level, row.scores);
  }
  return out;
}

std::string to_json(const EvaluationReport& report) {
  nlohmann::ordered_json json{{"data", report.data}, {"examples", report.clean.count}, {"clean", json_of(report.clean)}};
  for (const PerturbedScores& row : report.perturbed) {
    nlohmann::ordered_json entry = json_of(row.scores);
    entry["level"] = row.level;
    json[row.perturbation].push_back(entry);
  }
  return json.dump();
}

}  // namespace noisymix

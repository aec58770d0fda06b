#include "tools/evaluation/evaluate.h"

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
  std::snprintf(text, sizeof text, "%-14s %6s %9.2f %% %9.4f %8.2f %%\n", name, shown_level,
                100 * scores.accuracy, scores.loss, 100 * scores.calibration_error);
  return text;
}

nlohmann::ordered_json json_of(const Scores& scores) {
  return {{"accuracy", scores.accuracy}, {"loss", scores.loss}, {"ece", scores.calibration_error}};
}

}  // namespace

EvaluationReport evaluate_model(Model& model, std::shared_ptr<const Dataset> data,
                                const Normalization& normalization, const EvaluateOptions& options,
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
      const Tensor images = column.perturb(batch.images, done).to(model.device());
      column.keeper.add(model(images, Context::evaluation()).to(Device{}), batch.labels);
    }
    done += batch.size();
    if (progress) progress(done, data->size());
  }
  report.clean = columns[0].keeper.scores();
  for (std::size_t i = 0; i < report.perturbed.size(); ++i)
    report.perturbed[i].scores = columns[i + 1].keeper.scores();
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

namespace {

nlohmann::ordered_json json_of(const EvaluationReport& report) {
  nlohmann::ordered_json json{
      {"data", report.data}, {"examples", report.clean.count}, {"clean", json_of(report.clean)}};
  for (const PerturbedScores& row : report.perturbed) {
    nlohmann::ordered_json entry = json_of(row.scores);
    entry["level"] = row.level;
    json[row.perturbation].push_back(entry);
  }
  return json;
}

/// One row of a comparison: the label, a value per model, and for two models the second minus the first.
std::string comparison_row(const std::string& label, const std::vector<double>& values, int width) {
  char text[64];
  std::snprintf(text, sizeof text, "%-22s", label.c_str());
  std::string row = text;
  for (const double value : values) {
    std::snprintf(text, sizeof text, "%*.2f %%", width - 2, 100 * value);
    row += text;
  }
  if (values.size() == 2) {
    std::snprintf(text, sizeof text, "%+11.2f", 100 * (values[1] - values[0]));
    row += text;
  }
  return row + "\n";
}

/// The last `limit` bytes of a name that does not fit its column.
std::string shortened(const std::string& name, std::size_t limit) {
  return name.size() <= limit ? name : "..." + name.substr(name.size() - (limit - 3));
}

}  // namespace

std::string to_json(const EvaluationReport& report) {
  return json_of(report).dump();
}

std::string comparison_text(const std::vector<NamedReport>& reports) {
  NM_CHECK(!reports.empty(), "[comparison] expects at least one report");
  constexpr int kWidth = 26;
  const EvaluationReport& first = reports[0].report;
  std::string out = first.data + "\n\n" + std::string(22, ' ');
  for (const NamedReport& named : reports) {
    NM_CHECK(named.report.perturbed.size() == first.perturbed.size(),
             "[comparison] reports have different rows");
    const std::string name = shortened(named.name, kWidth - 2);
    out += std::string(kWidth - name.size(), ' ') + name;
  }
  if (reports.size() == 2) out += " difference";
  out += "\n";
  const auto row = [&](const std::string& label, const auto& value_of) {
    std::vector<double> values;
    for (const NamedReport& named : reports) values.push_back(value_of(named.report));
    out += comparison_row(label, values, kWidth);
  };
  row("clean", [](const EvaluationReport& report) { return report.clean.accuracy; });
  for (std::size_t i = 0; i < first.perturbed.size(); ++i) {
    char label[32];
    std::snprintf(label, sizeof label, "%-14s %.4g",
                  first.perturbed[i].perturbation == "white_noise" ? "white noise" : "salt & pepper",
                  first.perturbed[i].level);
    row(label, [i](const EvaluationReport& report) { return report.perturbed[i].scores.accuracy; });
  }
  if (!first.perturbed.empty()) {
    row("mean perturbed", [](const EvaluationReport& report) {
      double total = 0;
      for (const PerturbedScores& entry : report.perturbed) total += entry.scores.accuracy;
      return total / static_cast<double>(report.perturbed.size());
    });
  }
  row("clean ECE", [](const EvaluationReport& report) { return report.clean.calibration_error; });
  return out;
}

std::string comparison_json(const std::vector<NamedReport>& reports) {
  nlohmann::ordered_json array = nlohmann::ordered_json::array();
  for (const NamedReport& named : reports) {
    nlohmann::ordered_json entry{{"run", named.name}};
    entry.update(json_of(named.report));
    array.push_back(entry);
  }
  return array.dump();
}

}  // namespace noisymix

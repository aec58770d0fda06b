#include "tools/report/model_figures.h"

#include <algorithm>

#include "tools/training_setup.h"

namespace noisymix::report {
namespace {

bool has_corruptions(const ReportRun& run) {
  return run.results && std::any_of(run.results->cells.begin(), run.results->cells.end(),
                                    [](const Cell& cell) { return cell.suite == "corruptions"; });
}

}  // namespace

void add_model_figures(ReportRun& report, const std::filesystem::path& path, Device device,
                       const CorruptionSource& corruptions) {
  const LoadedRun run = load_run(path);
  if (!run.config) return;  // a weight file does not know its data
  const bool plane = run.card.sample_shape == std::vector<std::int64_t>{2} && run.card.classes() == 2;
  const bool images = run.card.sample_shape.size() == 3 && corruptions && has_corruptions(report);
  if (!plane && !images) return;
  run.model->to(device);
  if (plane) {
    report.boundary = compute_boundary(run, {});
    return;
  }
  HarmedOptions options;
  options.evaluation_seed = report.results->evaluation_seed;
  report.harmed = collect_harmed_images(run, *open_split(*run.config, false),
                                        corruptions(report.results->parameter_set), options);
}

}  // namespace noisymix::report

#include "tools/evaluation/corruption_error.h"

#include <algorithm>
#include <numeric>

#include "engine/error.h"

namespace noisymix {
namespace {

TypeNames joined(const TypeNames& first, const TypeNames& second) {
  TypeNames all = first;
  all.insert(all.end(), second.begin(), second.end());
  return all;
}

TypeNames without(TypeNames names, const std::string& left_out) {
  std::erase(names, left_out);
  return names;
}

template <typename ValueOf>
CellMean mean_over(const EvaluationResults& results, std::span<const std::string> types,
                   std::span<const int> severities, ValueOf value_of) {
  CellMean mean;
  mean.wanted = static_cast<int>(types.size() * severities.size());
  for (const Cell& cell : results.cells) {
    if (cell.suite != "corruptions" || std::ranges::find(types, cell.type) == types.end() ||
        std::ranges::find(severities, cell.severity) == severities.end())
      continue;
    mean.value += value_of(cell);
    ++mean.present;
  }
  if (mean.present > 0) mean.value /= mean.present;
  return mean;
}

double excess_ratio(std::span<const double> errors, double clean_error, std::span<const double> baseline,
                    double baseline_clean_error) {
  NM_CHECK(errors.size() == baseline.size(), "[corruption_error] ", errors.size(), " errors but ",
           baseline.size(), " of the baseline");
  double sum = 0, baseline_sum = 0;
  for (const double error : errors) sum += error - clean_error;
  for (const double error : baseline) baseline_sum += error - baseline_clean_error;
  NM_CHECK(baseline_sum > 0, "[corruption_error] the baseline's errors add up to ", baseline_sum,
           ", expected more than 0");
  return sum / baseline_sum;
}

}  // namespace

const std::vector<CorruptionCategory>& corruption_categories() {
  static const std::vector<CorruptionCategory> categories = {
      {"noise", {"gaussian_noise", "shot_noise", "impulse_noise"}},
      {"blur", {"defocus_blur", "glass_blur", "motion_blur", "zoom_blur"}},
      {"weather", {"snow", "frost", "fog", "brightness"}},
      {"digital", {"contrast", "elastic_transform", "pixelate", "jpeg_compression"}},
  };
  return categories;
}

const TypeNames& benchmark_corruption_names() {
  static const TypeNames names = joined(corruption_categories()[0].types, no_noise_corruption_names());
  return names;
}

const TypeNames& no_noise_corruption_names() {
  static const TypeNames names =
      joined(joined(corruption_categories()[1].types, corruption_categories()[2].types),
             corruption_categories()[3].types);
  return names;
}

const TypeNames& extra_corruption_names() {
  static const TypeNames names = {"speckle_noise", "gaussian_blur", "spatter", "saturate"};
  return names;
}

const TypeNames& mca_names(const std::string& parameter_set) {
  static const TypeNames fifteen = without(benchmark_corruption_names(), "gaussian_noise");
  static const TypeNames nineteen = joined(fifteen, extra_corruption_names());
  return parameter_set == "cifar-c" ? nineteen : fifteen;
}

const TypeNames& mca_noise_names(const std::string& parameter_set) {
  static const TypeNames with_speckle = {"speckle_noise", "impulse_noise", "shot_noise"};
  static const TypeNames plain = {"impulse_noise", "shot_noise"};
  return parameter_set == "cifar-c" ? with_speckle : plain;
}

const TypeNames& nfm_corruption_names() {
  static const TypeNames names = {"gaussian_noise", "jpeg_compression", "impulse_noise", "shot_noise",
                                  "snow",           "speckle_noise"};
  return names;
}

const TypeNames& transfer_corruption_names() {
  static const TypeNames names = joined(benchmark_corruption_names(), {"speckle_noise"});
  return names;
}

CellMean mean_corruption_accuracy(const EvaluationResults& results, std::span<const std::string> types,
                                  std::span<const int> severities) {
  return mean_over(results, types, severities, [](const Cell& cell) { return cell.accuracy; });
}

CellMean mean_corruption_ece(const EvaluationResults& results, std::span<const std::string> types,
                             std::span<const int> severities) {
  return mean_over(results, types, severities, [](const Cell& cell) { return cell.ece; });
}

std::span<const double> alexnet_corruption_errors() {
  static constexpr double kErrors[] = {0.886428, 0.894468, 0.922640, 0.819880, 0.826268,
                                       0.785948, 0.798360, 0.866816, 0.826572, 0.819324,
                                       0.564592, 0.853204, 0.646056, 0.717840, 0.606500};
  return kErrors;
}

double corruption_error(std::span<const double> errors, std::span<const double> baseline) {
  return excess_ratio(errors, 0, baseline, 0);
}

double relative_corruption_error(std::span<const double> errors, double clean_error,
                                 std::span<const double> baseline, double baseline_clean_error) {
  return excess_ratio(errors, clean_error, baseline, baseline_clean_error);
}

std::optional<double> mean_corruption_error(const EvaluationResults& results) {
  const TypeNames& types = benchmark_corruption_names();
  double sum = 0;
  for (std::size_t i = 0; i < types.size(); ++i) {
    const CellMean accuracy = mean_corruption_accuracy(results, std::span(types).subspan(i, 1));
    if (!accuracy.complete()) return std::nullopt;
    // Means instead of sums over the five severities: the constants are means.
    const double error = 1 - accuracy.value;
    sum += corruption_error({&error, 1}, alexnet_corruption_errors().subspan(i, 1));
  }
  return sum / static_cast<double>(types.size());
}

}  // namespace noisymix

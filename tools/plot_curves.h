// Training runs as curves over the epochs, in an SVG that suits light and dark pages.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace noisymix {

struct CurvePoint {
  double epoch = 0, train_loss = 0, train_accuracy = 0;
  std::optional<double> test_loss, test_accuracy;
};

struct TrainingCurve {
  std::string title;
  std::vector<CurvePoint> points;
};

/// Reads RUN/metrics.jsonl (and the title from RUN/config.toml); a last line cut off by a crash is left out.
/// Throws DataError naming file and line.
TrainingCurve read_training_curve(const std::filesystem::path& run);

/// Two panels, loss and accuracy: solid lines on the test split, thin dashed ones on the training views.
/// Values that are not finite leave gaps.
std::string draw_curves(const std::vector<TrainingCurve>& curves);

}  // namespace noisymix

#include "tools/plot_curves.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <sstream>

#include <nlohmann/json.hpp>

#include "engine/error.h"
#include "tools/run_directory.h"

namespace noisymix {
namespace {

// Middle tones with enough contrast on white and on near black.
constexpr const char* kColors[] = {"#2f7ed8", "#e0662c", "#2a9d6f", "#a455c9",
                                   "#c79a1b", "#d64580", "#5b8c9a", "#8b7355"};
constexpr double kPanelWidth = 400, kPanelHeight = 260, kLeft = 56, kTop = 40, kPanelGap = 72,
                 kLegendLine = 22;

struct Panel {
  const char* title;
  std::function<std::optional<double>(const CurvePoint&)> train, test;
  double x = 0;                        // left edge
  double low = 0, high = 1, step = 1;  // of the vertical axis, between its lines
  double epochs = 1;
};

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

std::string escape(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else if (static_cast<unsigned char>(c) >= 0x20)
      out += c;
  }
  return out;
}

// 1, 2 or 5 times a power of ten, so that the span takes about `count` steps.
double nice_step(double span, int count) {
  const double raw = span / count, power = std::pow(10, std::floor(std::log10(raw)));
  const double factor = raw / power;
  return power * (factor < 1.5 ? 1 : factor < 3.5 ? 2 : factor < 7.5 ? 5 : 10);
}

void choose_range(Panel& panel, const std::vector<TrainingCurve>& curves) {
  double low = HUGE_VAL, high = -HUGE_VAL, epochs = 1;
  for (const TrainingCurve& curve : curves) {
    for (const CurvePoint& point : curve.points) {
      epochs = std::max(epochs, point.epoch);
      for (const auto& value : {panel.train(point), panel.test(point)}) {
        if (!value || !std::isfinite(*value)) continue;
        low = std::min(low, *value);
        high = std::max(high, *value);
      }
    }
  }
  if (low > high) low = 0, high = 1;
  if (high - low < 1e-9) high = low + 1;
  panel.step = nice_step(high - low, 5);
  panel.low = std::floor(low / panel.step) * panel.step;
  panel.high = std::ceil(high / panel.step) * panel.step;
  panel.epochs = epochs;
}

double x_of(const Panel& panel, double epoch) {
  return panel.x + kPanelWidth * epoch / panel.epochs;
}
double y_of(const Panel& panel, double value) {
  return kTop + kPanelHeight * (panel.high - value) / (panel.high - panel.low);
}

void draw_axes(std::ostream& out, const Panel& panel) {
  out << "<text class=\"title\" x=\"" << panel.x << "\" y=\"" << kTop - 14 << "\">" << panel.title
      << "</text>\n";
  const double step = panel.step;
  for (double value = panel.low; value < panel.high + step / 2; value += step) {
    const double y = y_of(panel, value);
    out << "<line class=\"grid\" x1=\"" << panel.x << "\" x2=\"" << panel.x + kPanelWidth << "\" y1=\""
        << number(y) << "\" y2=\"" << number(y) << "\"/><text x=\"" << panel.x - 8 << "\" y=\""
        << number(y + 4) << "\" text-anchor=\"end\">" << number(std::abs(value) < step / 1e6 ? 0 : value)
        << "</text>\n";
  }
  const double epoch_step = std::max(1.0, nice_step(panel.epochs, 6));
  for (double epoch = 0; epoch <= panel.epochs + 1e-9; epoch += epoch_step) {
    out << "<text x=\"" << number(x_of(panel, epoch)) << "\" y=\"" << kTop + kPanelHeight + 18
        << "\" text-anchor=\"middle\">" << number(epoch) << "</text>\n";
  }
  out << "<text x=\"" << panel.x + kPanelWidth / 2 << "\" y=\"" << kTop + kPanelHeight + 36
      << "\" text-anchor=\"middle\">epoch</text>\n";
}

// One polyline per stretch of finite values.
void draw_line(std::ostream& out, const Panel& panel, const TrainingCurve& curve, bool test,
               const char* color) {
  std::string points;
  const auto flush = [&] {
    if (!points.empty()) {
      out << "<polyline class=\"" << (test ? "test" : "train") << "\" stroke=\"" << color << "\" points=\""
          << points << "\"/>\n";
    }
    points.clear();
  };
  for (const CurvePoint& point : curve.points) {
    const std::optional<double> value = test ? panel.test(point) : panel.train(point);
    if (!value) continue;  // epochs without evaluation are bridged
    if (!std::isfinite(*value)) {
      flush();
      continue;
    }
    if (!points.empty()) points += ' ';
    points.append(number(x_of(panel, point.epoch))).append(",").append(number(y_of(panel, *value)));
  }
  flush();
}

void draw_legend(std::ostream& out, const std::vector<TrainingCurve>& curves) {
  double y = kTop + kPanelHeight + 62;
  for (std::size_t i = 0; i < curves.size(); ++i, y += kLegendLine) {
    const char* color = kColors[i % std::size(kColors)];
    out << "<line class=\"test\" stroke=\"" << color << "\" x1=\"" << kLeft << "\" x2=\"" << kLeft + 28
        << "\" y1=\"" << y << "\" y2=\"" << y << "\"/><text x=\"" << kLeft + 38 << "\" y=\"" << y + 4 << "\">"
        << escape(curves[i].title) << "</text>\n";
  }
  const double right = kLeft + kPanelWidth + kPanelGap;
  y = kTop + kPanelHeight + 62;
  out << "<line class=\"test\" stroke=\"#808790\" x1=\"" << right << "\" x2=\"" << right + 28 << "\" y1=\""
      << y << "\" y2=\"" << y << "\"/><text x=\"" << right + 38 << "\" y=\"" << y + 4 << "\">test</text>\n"
      << "<line class=\"train\" stroke=\"#808790\" x1=\"" << right + 100 << "\" x2=\"" << right + 128
      << "\" y1=\"" << y << "\" y2=\"" << y << "\"/><text x=\"" << right + 138 << "\" y=\"" << y + 4
      << "\">training</text>\n";
}

CurvePoint point_of(const nlohmann::json& line) {
  CurvePoint point;
  // A diverged loss is written as null.
  const auto value = [&line](const char* key) {
    return line.contains(key) && line[key].is_number() ? line[key].get<double>() : std::nan("");
  };
  point.epoch = value("epoch");
  point.train_loss = value("train_loss");
  point.train_accuracy = value("train_accuracy");
  if (line.contains("test_loss")) point.test_loss = value("test_loss");
  if (line.contains("test_accuracy")) point.test_accuracy = value("test_accuracy");
  return point;
}

}  // namespace

TrainingCurve read_training_curve(const std::filesystem::path& run) {
  const RunDirectory directory(run);
  TrainingCurve curve;
  if (directory.exists()) curve.title = directory.read_config().title;
  if (curve.title.empty()) curve.title = run.filename().string();
  std::ifstream in(directory.metrics_file());
  NM_CHECK_AS(DataError, in.good(), directory.metrics_file().string(), ": cannot be opened");
  std::string text;
  for (int number_of_line = 1; std::getline(in, text); ++number_of_line) {
    const nlohmann::json line = nlohmann::json::parse(text, nullptr, false);
    if (line.is_discarded() && in.eof()) break;
    NM_CHECK_AS(DataError, line.is_object(), directory.metrics_file().string(), ":", number_of_line,
                ": not a JSON object");
    if (line.value("kind", "") == "epoch") curve.points.push_back(point_of(line));
  }
  NM_CHECK_AS(DataError, !curve.points.empty(), directory.metrics_file().string(),
              ": no epoch has been finished");
  return curve;
}

std::string draw_curves(const std::vector<TrainingCurve>& curves) {
  using Value = std::optional<double>;
  const auto percent = [](Value value) { return value ? Value(100 * *value) : value; };
  Panel loss{"Loss", [](const CurvePoint& p) { return Value(p.train_loss); },
             [](const CurvePoint& p) { return p.test_loss; }};
  Panel accuracy{"Accuracy, %", [=](const CurvePoint& p) { return percent(p.train_accuracy); },
                 [=](const CurvePoint& p) { return percent(p.test_accuracy); }};
  loss.x = kLeft;
  accuracy.x = kLeft + kPanelWidth + kPanelGap;
  const double width = accuracy.x + kPanelWidth + 24;
  const double height = kTop + kPanelHeight + 62 + kLegendLine * static_cast<double>(curves.size());
  std::ostringstream out;
  out << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " << width << ' ' << height << "\" width=\""
      << width << "\" height=\"" << height << "\">\n"
      << "<style>text{font:13px system-ui,-apple-system,\"Segoe UI\",sans-serif;fill:#7b828c}"
         ".title{font-size:15px;font-weight:600}.grid{stroke:#80879055;stroke-width:1}"
         ".test{fill:none;stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}"
         ".train{fill:none;stroke-width:1.4;stroke-dasharray:4 4;opacity:.75}</style>\n";
  for (Panel* panel : {&loss, &accuracy}) {
    choose_range(*panel, curves);
    draw_axes(out, *panel);
    for (const bool test : {false, true}) {
      for (std::size_t i = 0; i < curves.size(); ++i) {
        draw_line(out, *panel, curves[i], test, kColors[i % std::size(kColors)]);
      }
    }
  }
  draw_legend(out, curves);
  out << "</svg>\n";
  return out.str();
}

}  // namespace noisymix

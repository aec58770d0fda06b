#include "tools/report/reliability_diagram.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "tools/evaluation/calibration.h"
#include "tools/report/html.h"

namespace noisymix::report {
namespace {

constexpr double kWidth = 280, kLeft = 38, kSide = 228, kTop = 8, kHistogramTop = kTop + kSide + 8,
                 kHistogram = 42;
constexpr double kHeight = kHistogramTop + kHistogram + 40;

std::string place(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

std::string rectangle(const char* kind, double x, double y, double width, double height) {
  return "<rect class=\"" + std::string(kind) + "\" x=\"" + place(x) + "\" y=\"" + place(y) + "\" width=\"" +
         place(width) + "\" height=\"" + place(std::max(0.0, height)) + "\"/>";
}

std::string axes() {
  std::string out;
  for (int i = 0; i <= 4; ++i) {
    const double value = i / 4.0, y = kTop + kSide * (1 - value), x = kLeft + kSide * value;
    out += "<line class=\"grid\" x1=\"" + place(kLeft) + "\" x2=\"" + place(kLeft + kSide) + "\" y1=\"" +
           place(y) + "\" y2=\"" + place(y) + "\"/><text x=\"" + place(kLeft - 6) + "\" y=\"" + place(y + 4) +
           "\" text-anchor=\"end\">" + percent(value, 0) + "</text><text x=\"" + place(x) + "\" y=\"" +
           place(kHistogramTop + kHistogram + 16) + "\" text-anchor=\"middle\">" + percent(value, 0) +
           "</text>";
  }
  return out + "<text class=\"axis-title\" x=\"" + place(kLeft + kSide / 2) + "\" y=\"" + place(kHeight - 6) +
         "\" text-anchor=\"middle\">confidence, %</text>\n";
}

std::string draw_bin(const BinSums& bin, double x, double width, double largest, bool rare) {
  const auto count = static_cast<double>(bin.count);
  const double accuracy = static_cast<double>(bin.correct) / count, confidence = bin.confidence / count;
  const double y = kTop + kSide * (1 - accuracy), wanted = kTop + kSide * (1 - confidence);
  std::string out = std::string(rare ? "<g class=\"rare\">" : "<g>") + "<title>" + grouped(bin.count) +
                    " examples, confidence " + percent(confidence) + " %, accuracy " + percent(accuracy) +
                    " %</title>";
  out += rectangle("fill", x + 1, y, width - 2, kTop + kSide - y);
  out += rectangle("gap", x + 1, std::min(y, wanted), width - 2, std::abs(y - wanted));
  const double share = count / largest * kHistogram;
  return out + rectangle("count", x + 1, kHistogramTop + kHistogram - share, width - 2, share) + "</g>\n";
}

}  // namespace

std::string draw(const ReliabilityDiagram& diagram) {
  std::int64_t largest = 1, all = 0;
  for (const BinSums& bin : diagram.bins) {
    largest = std::max(largest, bin.count);
    all += bin.count;
  }
  std::string out = "<figure class=\"chart reliability " + run_class(diagram.run) + "\"><figcaption>" +
                    escape(diagram.title) + "<span>ECE " + percent(calibration_errors(diagram.bins).ece) +
                    " %</span></figcaption>\n<svg viewBox=\"0 0 " + place(kWidth) + " " + place(kHeight) +
                    "\" role=\"img\" aria-label=\"" + escape("Reliability diagram: " + diagram.title) +
                    "\">\n" + axes();
  const double width = kSide / static_cast<double>(std::max<std::size_t>(diagram.bins.size(), 1));
  for (std::size_t i = 0; i < diagram.bins.size(); ++i) {
    if (diagram.bins[i].count == 0) continue;
    out += draw_bin(diagram.bins[i], kLeft + width * static_cast<double>(i), width,
                    static_cast<double>(largest), 100 * diagram.bins[i].count < all);
  }
  return out + "<line class=\"ideal\" x1=\"" + place(kLeft) + "\" y1=\"" + place(kTop + kSide) + "\" x2=\"" +
         place(kLeft + kSide) + "\" y2=\"" + place(kTop) + "\"/></svg></figure>\n";
}

}  // namespace noisymix::report

#include "tools/report/report.h"

#include <algorithm>
#include <functional>

#include "engine/error.h"
#include "tools/evaluation/compare.h"
#include "tools/evaluation/summary.h"
#include "tools/report/sections.h"

namespace noisymix::report {
namespace {

struct KeyFigure {
  const char* key;  ///< of summarize()
  const char* title;
  const char* explanation;
};

constexpr KeyFigure kKeyFigures[] = {
    {"clean_accuracy", "Clean accuracy", "On the test set as it is."},
    {"corruption_accuracy", "Corruption accuracy", "Mean over 15 corruptions at 5 severities."},
    {"white_noise_accuracy", "White noise", "Mean accuracy over the noise levels."},
    {"salt_pepper_accuracy", "Salt & pepper", "Mean accuracy over the shares of pixels."},
    {"mfp", "Flip probability", "How often the answer changes along a sequence. Less is better."},
    {"corruption_pooled_ece", "Calibration error",
     "Confidence against accuracy on corrupted images. Less is better."},
};

using Summaries = std::vector<std::vector<SummaryRow>>;

const SummaryRow* find(const std::vector<SummaryRow>& rows, const std::string& key) {
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const SummaryRow& r) { return r.key == key; });
  return row == rows.end() ? nullptr : &*row;
}

std::string key_figure(const KeyFigure& figure, const Summaries& summaries) {
  const SummaryRow* first = find(summaries.front(), figure.key);
  std::string lines, note = figure.explanation;
  for (std::size_t run = 0; run < summaries.size(); ++run) {
    const SummaryRow* row = find(summaries[run], figure.key);
    if (row == nullptr) continue;
    lines += "<div>" +
             std::string(summaries.size() > 1 ? "<i class=\"dot " + run_class(run) + "\"></i>" : "") + "<b>" +
             percent(row->value) + "</b><small>%</small>";
    if (first != nullptr && row != first && row->label == first->label) {
      const std::string change = signed_points(row->value - first->value);
      const bool better = (row->value > first->value) == row->higher_is_better;
      lines += "<span class=\"change" +
               std::string(change.starts_with("±") ? ""
                           : better                ? " better"
                                                   : " worse") +
               "\">" + change + "</span>";
    }
    lines += "</div>";
    // A mean over a part of the cells must not pass for the whole.
    const std::size_t part = row->label.find(" over ");
    if (part != std::string::npos && row->label.find(" of ", part) != std::string::npos) {
      note = "Only" + row->label.substr(part) + ".";
    }
  }
  if (lines.empty()) return "";
  return "<div class=\"key\"><h3>" + escape(figure.title) + "</h3>" + lines + "<p>" + escape(note) +
         "</p></div>\n";
}

/// What would fill an absent section.
struct Missing {
  std::string what, command;
};

std::string missing_list(const std::vector<Missing>& missing) {
  std::string out = "<ul class=\"missing\">\n";
  for (const Missing& entry : missing) {
    out +=
        "<li>" + escape(entry.what) + ": <code class=\"command\">" + escape(entry.command) + "</code></li>\n";
  }
  return out + "</ul>\n";
}

}  // namespace

std::vector<std::string> labels_of(const ReportRuns& runs) {
  std::vector<std::string> labels;
  for (const ReportRun& run : runs) labels.push_back(run.label);
  return labels;
}

std::string in_row(const std::string& figures, const std::string& layout) {
  if (figures.empty()) return "";
  return "<div class=\"row" + (layout.empty() ? "" : " " + layout) + "\">\n" + figures + "</div>\n";
}

std::string in_columns(const std::vector<std::string>& charts, bool small) {
  std::string figures;
  std::size_t count = 0;
  for (const std::string& chart : charts) {
    figures += chart;
    count += !chart.empty();
  }
  return in_row(figures, small                      ? "charts four"
                         : count == 1               ? "charts one two"
                         : count == 2 || count == 4 ? "charts two"
                                                    : "charts");
}

Header report_header(const ReportRuns& runs) {
  Header header;
  for (const ReportRun& run : runs) {
    if (runs.size() <= 3) header.title += (header.title.empty() ? "" : " \xC2\xB7 ") + run.label;
  }
  if (runs.size() > 3) header.title = std::to_string(runs.size()) + " runs";
  header.subtitle = runs.front().common;
  if (runs.size() > 1) {
    header.body += "<ul class=\"legend\">";
    for (std::size_t run = 0; run < runs.size(); ++run) {
      header.body += "<li><i class=\"dot " + run_class(run) + "\"></i>" + escape(runs[run].label) + "</li>";
    }
    header.body += "</ul>\n";
  }
  Summaries summaries;
  bool described = false;
  for (const ReportRun& run : runs) {
    summaries.push_back(run.results ? summarize(*run.results) : std::vector<SummaryRow>{});
    if (!run.results || described) continue;
    described = true;
    header.subtitle += (header.subtitle.empty() ? "" : " \xC2\xB7 ") + run.results->data;
    if (const Cell* clean = run.results->find("clean", "clean")) {
      header.subtitle += " \xC2\xB7 " + grouped(clean->count) + " examples";
    }
  }
  std::string cards;
  for (const KeyFigure& figure : kKeyFigures) cards += key_figure(figure, summaries);
  if (!cards.empty()) header.body += "<div class=\"keys\">\n" + cards + "</div>\n";
  return header;
}

std::string make_report(const std::vector<ReportRun>& runs) {
  NM_CHECK_AS(ConfigError, !runs.empty(), "nothing to report: no runs");
  std::vector<EvaluationResults> evaluated;
  for (const ReportRun& run : runs) {
    if (run.results) evaluated.push_back(*run.results);
  }
  check_comparable(evaluated);

  const std::string run = runs.front().path, evaluate = "noisymix evaluate " + run;
  const bool points =
      std::any_of(runs.begin(), runs.end(), [](const auto& r) { return r.boundary.has_value(); });
  struct Part {
    std::optional<Section> (*make)(const ReportRuns&);
    const char* what;
    std::string command;
    bool images_only;
  };
  const Part parts[] = {
      {curves_section, "Training curves", "noisymix train CONFIG", false},
      {boundary_section, "", "", false},
      {categories_section, "Accuracy by kind of corruption", evaluate + " --suite corruptions", true},
      {corruptions_section, "Accuracy by corruption and severity", evaluate + " --suite corruptions", true},
      {levels_section, "Noise and attacks", evaluate + " --suite noise,attacks", false},
      {calibration_section, "Calibration", evaluate, false},
      {sequences_section, "Stability along sequences", evaluate + " --suite sequences", true},
      {confusion_section, "Confusions", evaluate, false},
      {harmed_section, "", "", true},
      {provenance_section, "", "", false},
  };
  std::vector<Section> sections;
  std::vector<Missing> missing;
  for (const Part& part : parts) {
    if (std::optional<Section> section = part.make(runs)) {
      sections.push_back(std::move(*section));
    } else if (part.what[0] != '\0' && !(points && part.images_only)) {
      // One line for each command.
      const auto same = std::find_if(missing.begin(), missing.end(),
                                     [&](const Missing& m) { return m.command == part.command; });
      if (same == missing.end())
        missing.push_back({part.what, part.command});
      else
        same->what += std::string(", ") + part.what;
    }
  }
  if (!missing.empty()) {
    sections.push_back({"missing", "Not in this report",
                        "Figures without data are left out. These commands fill them.",
                        missing_list(missing)});
  }
  return frame_page(report_header(runs), sections);
}

}  // namespace noisymix::report

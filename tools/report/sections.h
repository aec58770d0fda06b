// The parts of a report. Each is absent when no run has its data.
#pragma once

#include <optional>
#include <vector>

#include "tools/report/html.h"
#include "tools/report/report.h"

namespace noisymix::report {

using ReportRuns = std::vector<ReportRun>;

/// Title, legend and key figures.
Header report_header(const ReportRuns& runs);

std::optional<Section> curves_section(const ReportRuns& runs);
std::optional<Section> boundary_section(const ReportRuns& runs);
std::optional<Section> categories_section(const ReportRuns& runs);   ///< bars
std::optional<Section> corruptions_section(const ReportRuns& runs);  ///< type by severity
std::optional<Section> levels_section(const ReportRuns& runs);       ///< noise and attacks
std::optional<Section> calibration_section(const ReportRuns& runs);
std::optional<Section> sequences_section(const ReportRuns& runs);
std::optional<Section> confusion_section(const ReportRuns& runs);
std::optional<Section> harmed_section(const ReportRuns& runs);
std::optional<Section> provenance_section(const ReportRuns& runs);

/// Names of the runs, in order.
std::vector<std::string> labels_of(const ReportRuns& runs);
/// Wraps figures so that they stand side by side where there is room; empty for nothing. `layout` is a class
/// of the style sheet.
std::string in_row(const std::string& figures, const std::string& layout = "");
/// The same for charts of one size, in as many columns as suit their number.
std::string in_columns(const std::vector<std::string>& charts, bool small = false);

}  // namespace noisymix::report

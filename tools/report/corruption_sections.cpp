// Accuracy on corrupted images: bars by category and type, and the table of types and severities.
#include <algorithm>
#include <cmath>

#include "tools/evaluation/corruption_error.h"
#include "tools/evaluation/type_labels.h"
#include "tools/report/bar_chart.h"
#include "tools/report/heat_map.h"
#include "tools/report/sections.h"

namespace noisymix::report {
namespace {

using Value = std::optional<double>;

const Cell* corruption(const ReportRun& run, const std::string& type, int severity) {
  return run.results ? run.results->find("corruptions", type, severity) : nullptr;
}

bool has_corruptions(const ReportRun& run) {
  return run.results && std::any_of(run.results->cells.begin(), run.results->cells.end(),
                                    [](const Cell& cell) { return cell.suite == "corruptions"; });
}

/// Whether every run that saw corruptions saw this one, so that means are over the same cells.
bool shared(const ReportRuns& runs, const std::string& type, int severity) {
  return std::all_of(runs.begin(), runs.end(), [&](const ReportRun& run) {
    return !has_corruptions(run) || corruption(run, type, severity) != nullptr;
  });
}

struct Mean {
  double sum = 0;
  int count = 0;
  Value value() const { return count > 0 ? Value(sum / count) : std::nullopt; }
};

Mean mean_of(const ReportRuns& runs, const ReportRun& run, const TypeNames& types) {
  Mean mean;
  for (const std::string& type : types) {
    for (const int severity : kAllSeverities) {
      const Cell* cell = corruption(run, type, severity);
      if (cell == nullptr || !shared(runs, type, severity)) continue;
      mean.sum += cell->accuracy;
      ++mean.count;
    }
  }
  return mean;
}

BarRow bar_row(const ReportRuns& runs, const std::string& label, const TypeNames& types,
               bool heading = false) {
  BarRow row{label, {}, heading};
  for (const ReportRun& run : runs) row.values.push_back(mean_of(runs, run, types).value());
  return row;
}

/// Rows of types by severities, with the mean over severities; categories without cells are left out.
std::vector<HeatGroup> heat_groups(const ReportRun& run) {
  std::vector<HeatGroup> groups;
  const auto add = [&](const std::string& label, const TypeNames& types) {
    HeatGroup group{label, {}};
    for (const std::string& type : types) {
      HeatRow row{label_of_type(type), {}};
      Mean mean;
      for (const int severity : kAllSeverities) {
        const Cell* cell = corruption(run, type, severity);
        row.values.push_back(cell ? Value(cell->accuracy) : std::nullopt);
        if (cell) mean.sum += cell->accuracy, ++mean.count;
      }
      row.values.push_back(mean.value());
      if (mean.count > 0) group.rows.push_back(std::move(row));
    }
    if (!group.rows.empty()) groups.push_back(std::move(group));
  };
  for (const CorruptionCategory& category : corruption_categories())
    add(label_of_type(category.key), category.types);
  add("Extra", extra_corruption_names());
  return groups;
}

HeatMap heat_map(const ReportRuns& runs, std::size_t run) {
  HeatMap map{runs[run].label, run, {"1", "2", "3", "4", "5", "mean"}, heat_groups(runs[run]), false, 0, 1};
  return map;
}

Value cell_of(const HeatMap& map, const std::string& group, const std::string& row, std::size_t column) {
  for (const HeatGroup& g : map.groups) {
    if (g.label != group) continue;
    for (const HeatRow& r : g.rows) {
      if (r.label == row) return r.values[column];
    }
  }
  return std::nullopt;
}

/// `map` less `reference`, cell by cell.
HeatMap difference_of(const HeatMap& map, const HeatMap& reference) {
  HeatMap result = map;
  result.title += " less " + reference.title;
  result.difference = true;
  for (HeatGroup& group : result.groups) {
    for (HeatRow& row : group.rows) {
      for (std::size_t column = 0; column < row.values.size(); ++column) {
        const Value other = cell_of(reference, group.label, row.label, column);
        if (row.values[column])
          row.values[column] = other ? Value(*row.values[column] - *other) : std::nullopt;
      }
    }
  }
  return result;
}

/// The ends of a scale that all maps share: whole tens around their values.
void choose_scale(std::vector<HeatMap>& maps) {
  double low = 1, high = 0, largest = 0.05;
  const auto visit = [&](const HeatMap& map, auto&& use) {
    for (const HeatGroup& group : map.groups) {
      for (const HeatRow& row : group.rows) {
        for (const Value& value : row.values) {
          if (value && std::isfinite(*value)) use(*value);
        }
      }
    }
  };
  for (const HeatMap& map : maps) {
    if (map.difference)
      visit(map, [&](double value) { largest = std::max(largest, std::abs(value)); });
    else
      visit(map, [&](double value) { low = std::min(low, value), high = std::max(high, value); });
  }
  for (HeatMap& map : maps) {
    map.low = std::floor(low * 10) / 10;
    map.high = map.difference ? std::ceil(largest * 20) / 20 : std::ceil(high * 10) / 10;
  }
}

}  // namespace

std::optional<Section> categories_section(const ReportRuns& runs) {
  if (std::none_of(runs.begin(), runs.end(), has_corruptions)) return std::nullopt;
  BarChart categories{"All, and by category", labels_of(runs), {}, 1, 1, false};
  BarRow clean{"Clean", {}, false};
  for (const ReportRun& run : runs) {
    const Cell* cell = run.results ? run.results->find("clean", "clean") : nullptr;
    clean.values.push_back(cell ? Value(cell->accuracy) : std::nullopt);
  }
  categories.rows.push_back(clean);
  categories.rows.push_back(bar_row(runs, "All corruptions", benchmark_corruption_names(), true));
  for (const CorruptionCategory& category : corruption_categories()) {
    categories.rows.push_back(bar_row(runs, label_of_type(category.key), category.types));
  }
  std::string figures = draw(categories);
  const auto add = [&](const std::string& label, const TypeNames& names) {
    BarChart chart{label, labels_of(runs), {}, 1, 1, false};
    bool any = false;
    for (const std::string& type : names) {
      chart.rows.push_back(bar_row(runs, label_of_type(type), {type}));
      for (const Value& value : chart.rows.back().values) any = any || value.has_value();
    }
    if (any) figures += draw(chart);
  };
  for (const CorruptionCategory& category : corruption_categories())
    add(label_of_type(category.key), category.types);
  add("Extra", extra_corruption_names());
  Section section{"corruptions", "Accuracy by kind of corruption", "", ""};
  section.text =
      "Every test image is damaged in 15 ways, as bad cameras, weather or compression would, at five "
      "severities. "
      "A bar is the mean accuracy over severities, in %.";
  if (runs.size() > 1)
    section.text += " The number at the end is the difference to the first run, in points.";
  int cells = 0;
  for (const ReportRun& run : runs)
    cells = std::max(cells, mean_of(runs, run, benchmark_corruption_names()).count);
  if (cells < 75)
    section.text += " Here means are over " + std::to_string(cells) + " of the 75 combinations.";
  section.body = in_row(figures, "columns");
  return section;
}

std::optional<Section> corruptions_section(const ReportRuns& runs) {
  std::vector<HeatMap> maps;
  for (std::size_t run = 0; run < runs.size(); ++run) {
    if (has_corruptions(runs[run])) maps.push_back(heat_map(runs, run));
  }
  if (maps.empty()) return std::nullopt;
  const std::size_t absolute = maps.size();
  const bool first = has_corruptions(runs.front());
  for (std::size_t map = 1; first && map < absolute; ++map)
    maps.push_back(difference_of(maps[map], maps.front()));
  choose_scale(maps);
  Section section{"severities", "Accuracy by corruption and severity", "", ""};
  section.text =
      "Accuracy in %; columns are severities from mild (1) to strong (5). Rows whose colour changes quickly "
      "are "
      "corruptions the model tolerates only in small doses.";
  if (maps.size() > absolute) {
    section.text += " In the maps of differences, blue is better than the first run and orange is worse.";
  }
  std::string figures;
  for (const HeatMap& map : maps) figures += draw(map);
  section.body = in_row(figures);
  return section;
}

}  // namespace noisymix::report

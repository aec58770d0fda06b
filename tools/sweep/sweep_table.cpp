#include "tools/sweep/sweep_table.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "engine/error.h"
#include "engine/io/atomic_file.h"
#include "tools/evaluation/corruption_error.h"
#include "tools/work_progress.h"

namespace noisymix {
namespace {

using Unit = SweepColumn::Unit;

std::string decimals(double value, int digits = 2) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

/// A mean or deviation as the table shows it.
std::string shown_number(const SweepColumn& column, double value) {
  switch (column.unit) {
    case Unit::percent:
      return decimals(100 * value);
    case Unit::seconds:
      return shown_duration(value);
    default:
      return decimals(value);
  }
}

/// Mean and population deviation (register: "spread = population standard deviation").
std::optional<SweepCell> over_seeds(const std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  SweepCell cell;
  const auto n = static_cast<double>(values.size());
  cell.seeds = static_cast<int>(values.size());
  for (const double value : values) cell.mean += value / n;
  double squares = 0;
  for (const double value : values) squares += (value - cell.mean) * (value - cell.mean);
  cell.deviation = std::sqrt(squares / n);
  return cell;
}

std::vector<SweepColumn> columns_of(const Sweep& sweep) {
  if (sweep.columns.empty()) return default_columns(sweep.evaluation.options);
  const std::vector<SweepColumn> possible = possible_columns(sweep.evaluation.options);
  std::vector<SweepColumn> columns;
  for (const std::string& key : sweep.columns) {
    const auto found = std::ranges::find(possible, key, &SweepColumn::key);
    NM_CHECK_AS(ConfigError, found != possible.end(), "the sweep has no column ", key);
    columns.push_back(*found);
  }
  return columns;
}

std::optional<double> value_of(const SweepColumn& column, const RunOutcome& outcome) {
  if (!outcome.results) return std::nullopt;
  if (column.key == "time") return outcome.training_seconds;
  return column_value(column.key, *outcome.results);
}

SweepTableRow make_row(const SweepRow& row, const std::vector<SweepColumn>& columns,
                       const std::vector<const RunOutcome*>& outcomes) {
  SweepTableRow result;
  result.label = row.label;
  result.group = row.group;
  result.seeds = static_cast<int>(outcomes.size());
  for (const RunOutcome* outcome : outcomes) {
    if (outcome->results) ++result.finished;
    if (!outcome->failure.empty())
      result.failures.push_back("seed " + std::to_string(outcome->seed) + ": " + outcome->failure);
  }
  for (const SweepColumn& column : columns) {
    std::vector<double> values;
    for (const RunOutcome* outcome : outcomes)
      if (const auto value = value_of(column, *outcome)) values.push_back(*value);
    result.cells.push_back(over_seeds(values));
    const auto printed = std::ranges::find(row.paper, column.key, &std::pair<std::string, double>::first);
    result.paper.push_back(printed == row.paper.end() ? std::nullopt : std::optional(printed->second));
  }
  return result;
}

/// Marks every cell that looks as good as the best of its group; nothing to mark among fewer than two.
void mark_best(SweepTable& table) {
  for (const auto& [group, rows] : groups_of(table)) {
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      const SweepColumn& column = table.columns[c];
      if (column.unit == Unit::seconds) continue;
      std::vector<SweepCell*> cells;
      for (const std::size_t row : rows)
        if (table.rows[row].cells[c]) cells.push_back(&*table.rows[row].cells[c]);
      if (cells.size() < 2) continue;
      const SweepCell* best = *std::ranges::max_element(cells, {}, [&](const SweepCell* cell) {
        return column.higher_is_better ? cell->mean : -cell->mean;
      });
      const std::string shown = shown_number(column, best->mean);
      for (SweepCell* cell : cells) cell->best = shown_number(column, cell->mean) == shown;
    }
  }
}

std::vector<std::string> notes_of(const Sweep& sweep, const std::vector<RunOutcome>& outcomes) {
  std::vector<std::string> notes;
  const bool several = sweep.seeds.size() > 1;
  notes.push_back(
      several
          ? "Mean ± population standard deviation over seeds, in percent unless the heading says otherwise."
          : "In percent unless the heading says otherwise; one seed.");
  const EvaluateOptions& options = sweep.evaluation.options;
  for (const RunOutcome& outcome : outcomes) {
    if (!outcome.results) continue;
    const Cell* clean = outcome.results->find("clean", "clean");
    if (clean != nullptr) notes.push_back("Evaluated on " + std::to_string(clean->count) + " test examples.");
    const CellMean mean = mean_corruption_accuracy(*outcome.results, benchmark_corruption_names());
    if (mean.present > 0 && !mean.complete())
      notes.push_back("Corruptions: " + std::to_string(mean.present) + " of the benchmark's " +
                      std::to_string(mean.wanted) + " cells.");
    if (options.has(Suite::sequences) && options.sequence_limit > 0)
      notes.push_back("Sequences of the first " + std::to_string(options.sequence_limit) + " examples.");
    break;
  }
  return notes;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

std::string csv_number(const SweepColumn& column, double value) {
  return decimals(column.unit == Unit::percent ? 100 * value : value, 4);
}

/// Markdown cells may hold no bars and no markup of their own.
std::string markdown_cell(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (std::string_view("|*_`<[\\").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

/// Length on a terminal: bytes that continue a character take no room.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

std::vector<RunOutcome> collect_outcomes(const Sweep& sweep, const std::vector<SweepRun>& runs) {
  RunInspector inspector(sweep.evaluation);
  std::vector<RunOutcome> outcomes;
  for (const SweepRun& run : runs) {
    RunOutcome outcome{run.row, run.seed, std::nullopt, 0, failure_of(run)};
    if (inspector.state(run) == RunState::evaluated) {
      outcome.results = inspector.results(run);
      outcome.training_seconds = training_progress(run.folder).seconds;
    }
    outcomes.push_back(std::move(outcome));
  }
  return outcomes;
}

SweepTable make_sweep_table(const Sweep& sweep, const std::vector<RunOutcome>& outcomes) {
  SweepTable table;
  table.title = sweep.title;
  table.columns = columns_of(sweep);
  for (std::size_t row = 0; row < sweep.rows.size(); ++row) {
    std::vector<const RunOutcome*> own;
    for (const RunOutcome& outcome : outcomes)
      if (outcome.row == row) own.push_back(&outcome);
    if (!own.empty()) table.rows.push_back(make_row(sweep.rows[row], table.columns, own));
  }
  for (std::size_t c = 0; c < table.columns.size(); ++c)
    table.has_paper.push_back(
        std::ranges::any_of(table.rows, [c](const SweepTableRow& row) { return row.paper[c].has_value(); }));
  mark_best(table);
  table.notes = notes_of(sweep, outcomes);
  return table;
}

std::string shown_cell(const SweepColumn& column, const std::optional<SweepCell>& cell) {
  if (!cell) return "-";
  const std::string mean = shown_number(column, cell->mean);
  return cell->seeds > 1 ? mean + " ± " + shown_number(column, cell->deviation) : mean;
}

std::string shown_paper(const std::optional<double>& value) {
  if (!value) return "-";
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, *value).ptr;
  return {digits, end};
}

std::vector<std::pair<std::string, std::vector<std::size_t>>> groups_of(const SweepTable& table) {
  std::vector<std::pair<std::string, std::vector<std::size_t>>> groups;
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    const std::string& name = table.rows[row].group;
    auto group = std::ranges::find(groups, name, [](const auto& entry) { return entry.first; });
    if (group == groups.end()) group = groups.insert(groups.end(), {name, {}});
    group->second.push_back(row);
  }
  return groups;
}

std::vector<std::string> shown_headings(const SweepTable& table) {
  std::vector<std::string> headings = {"Method"};
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    headings.push_back(table.columns[c].title);
    if (table.has_paper[c]) headings.push_back("paper");
  }
  headings.emplace_back("Seeds");
  return headings;
}

std::vector<std::string> shown_row(const SweepTable& table, const SweepTableRow& row,
                                   const std::string& bold) {
  std::vector<std::string> cells = {row.label};
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    const auto& cell = row.cells[c];
    const std::string mark = cell && cell->best ? bold : "";
    cells.push_back(mark + shown_cell(table.columns[c], cell) + mark);
    if (table.has_paper[c]) cells.push_back(shown_paper(row.paper[c]));
  }
  cells.push_back(row.finished == row.seeds
                      ? std::to_string(row.seeds)
                      : std::to_string(row.finished) + " of " + std::to_string(row.seeds));
  return cells;
}

std::string to_text(const SweepTable& table) {
  std::string text = table.title + "\n";
  for (const auto& [group, rows] : groups_of(table)) {
    std::vector<std::vector<std::string>> lines = {shown_headings(table)};
    if (!group.empty()) lines[0][0] = group;
    for (const std::size_t row : rows) lines.push_back(shown_row(table, table.rows[row], ""));
    std::vector<std::size_t> widths(lines[0].size(), 0);
    for (const auto& line : lines)
      for (std::size_t c = 0; c < line.size(); ++c) widths[c] = std::max(widths[c], width_of(line[c]));
    text += "\n";
    for (const auto& line : lines) {
      for (std::size_t c = 0; c < line.size(); ++c) {
        const std::string space(widths[c] - width_of(line[c]), ' ');
        text += c == 0 ? line[c] + space : "  " + space + line[c];
      }
      text += "\n";
    }
  }
  text += "\n";
  for (const std::string& note : table.notes) text += note + "\n";
  for (const SweepTableRow& row : table.rows)
    for (const std::string& failure : row.failures) text += "failed: " + row.label + ", " + failure + "\n";
  return text;
}

std::string to_markdown(const SweepTable& table) {
  std::string text = "# " + table.title + "\n";
  for (const auto& [group, rows] : groups_of(table)) {
    if (!group.empty()) text += "\n## " + group + "\n";
    std::string head = "\n|", line = "|";
    const std::vector<std::string> headings = shown_headings(table);
    for (std::size_t c = 0; c < headings.size(); ++c) {
      head += " " + markdown_cell(headings[c]) + " |";
      line += c == 0 ? "---|" : "---:|";
    }
    text += head + "\n" + line + "\n";
    for (const std::size_t row : rows) {
      std::vector<std::string> cells = shown_row(table, table.rows[row], "**");
      cells[0] = markdown_cell(cells[0]);
      text += "|";
      for (const std::string& cell : cells) text += " " + cell + " |";
      text += "\n";
    }
  }
  text += "\n";
  for (const std::string& note : table.notes) text += note + "\n";
  std::string failures;
  for (const SweepTableRow& row : table.rows)
    for (const std::string& failure : row.failures)
      failures += "- " + markdown_cell(row.label + ", " + failure) + "\n";
  return failures.empty() ? text : text + "\nFailed:\n\n" + failures;
}

std::string to_csv(const SweepTable& table) {
  std::string text = "group,label,finished,seeds";
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    const std::string& key = table.columns[c].key;
    text += "," + key + "_mean," + key + "_sd" + (table.has_paper[c] ? "," + key + "_paper" : "");
  }
  text += ",failures\n";
  for (const SweepTableRow& row : table.rows) {
    text += csv_field(row.group) + "," + csv_field(row.label) + "," + std::to_string(row.finished) + "," +
            std::to_string(row.seeds);
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      const auto& cell = row.cells[c];
      text += cell ? "," + csv_number(table.columns[c], cell->mean) + "," +
                         csv_number(table.columns[c], cell->deviation)
                   : ",,";
      if (table.has_paper[c]) text += "," + (row.paper[c] ? shown_paper(row.paper[c]) : "");
    }
    std::string failures;
    for (const std::string& failure : row.failures) failures += (failures.empty() ? "" : "; ") + failure;
    text += "," + csv_field(failures) + "\n";
  }
  return text;
}

void write_tables(const SweepTable& table, const std::filesystem::path& out) {
  std::filesystem::create_directories(out);
  write_file_atomically(out / "table.md", to_markdown(table));
  write_file_atomically(out / "table.csv", to_csv(table));
  write_file_atomically(out / "table.html", to_html(table));
}

}  // namespace noisymix

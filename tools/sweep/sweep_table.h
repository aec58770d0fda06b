// The table of a sweep: mean and spread over seeds of every row, beside the papers' numbers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/sweep/sweep_columns.h"
#include "tools/sweep/sweep_plan.h"

namespace noisymix {

/// A number over seeds.
struct SweepCell {
  int seeds = 0;
  double mean = 0, deviation = 0;  ///< the population deviation, as the papers' spreads; 0 for one seed
  bool best = false;               ///< of its column in its group, as shown
};

struct SweepTableRow {
  std::string label, group;
  int finished = 0, seeds = 0;  ///< runs evaluated, runs planned
  std::vector<std::optional<SweepCell>> cells;
  std::vector<std::optional<double>> paper;  ///< as printed: percentages, not fractions
  std::vector<std::string> failures;         ///< "seed 2: ..."
};

struct SweepTable {
  std::string title;
  std::vector<SweepColumn> columns;
  std::vector<bool> has_paper;  ///< of a column: whether any row has a published number for it
  std::vector<SweepTableRow> rows;
  std::vector<std::string> notes;  ///< what to know when reading it, a sentence each
};

/// What one run adds to its row.
struct RunOutcome {
  std::size_t row = 0;
  std::uint64_t seed = 0;
  std::optional<EvaluationResults> results;  ///< absent unless the run is finished
  double training_seconds = 0;
  std::string failure;  ///< of its last attempt, or empty
};

/// Looks at every run's folder.
std::vector<RunOutcome> collect_outcomes(const Sweep& sweep, const std::vector<SweepRun>& runs);

/// Rows in the order of the sweep; a row without outcomes is left out.
SweepTable make_sweep_table(const Sweep& sweep, const std::vector<RunOutcome>& outcomes);

/// "84.11 ± 0.32", "84.11" for one seed, "-" for none; times as 1:02:03.
std::string shown_cell(const SweepColumn& column, const std::optional<SweepCell>& cell);
/// "84.1", as many decimals as needed.
std::string shown_paper(const std::optional<double>& value);

std::string to_text(const SweepTable& table);      ///< padded, for a terminal
std::string to_markdown(const SweepTable& table);  ///< a table for each group, the best in bold
/// One line a row; fractions as percentages, times in seconds; deviation and published number in columns of
/// their own.
std::string to_csv(const SweepTable& table);
/// One page that stands alone, light and dark; headings sort by click.
std::string to_html(const SweepTable& table);

/// OUT/table.md, table.csv and table.html.
void write_tables(const SweepTable& table, const std::filesystem::path& out);

/// Groups in the order in which they first appear, each with the places of its rows.
std::vector<std::pair<std::string, std::vector<std::size_t>>> groups_of(const SweepTable& table);

/// Headings and cells as they are shown: label, columns (each with its paper column after it), seeds.
std::vector<std::string> shown_headings(const SweepTable& table);
std::vector<std::string> shown_row(const SweepTable& table, const SweepTableRow& row,
                                   const std::string& bold);

}  // namespace noisymix

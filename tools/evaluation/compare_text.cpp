// A Comparison as text, JSON, CSV and Markdown.
#include <algorithm>
#include <cstdio>
#include <sstream>

#include <nlohmann/json.hpp>

#include "data/file_bytes.h"
#include "tools/csv_field.h"
#include "tools/evaluation/compare.h"

namespace noisymix {
namespace {

std::string points(double fraction, const char* format = "%.2f") {
  char text[48];
  std::snprintf(text, sizeof text, format, 100 * fraction);
  return text;
}

/// "84.11", or "84.11 ± 0.32" over several seeds.
std::string shown(const std::optional<SeedSpread>& spread, const char* plus_minus) {
  if (!spread) return "-";
  return points(spread->mean) + (spread->runs > 1 ? plus_minus + points(spread->deviation) : "");
}

/// "+3.20 [+2.61, +3.80]".
std::string shown(const std::optional<GroupDifference>& difference) {
  if (!difference) return "-";
  std::string text = points(difference->value, "%+.2f");
  if (difference->interval) {
    text += " [" + points(difference->interval->low, "%+.2f") + ", " +
            points(difference->interval->high, "%+.2f") + "]";
  }
  return text;
}

std::string letter(std::size_t group) {
  return group < 26 ? std::string(1, static_cast<char>('A' + group)) : std::to_string(group + 1);
}

std::string seeds_of(const RunGroup& group) {
  std::string text = group.seeds.size() > 1 ? "seeds " : "seed ";
  for (std::size_t i = 0; i < group.seeds.size(); ++i)
    text += (i > 0 ? ", " : "") + std::to_string(group.seeds[i]);
  return text;
}

/// Length on a terminal: bytes that continue a character take no room.
std::size_t columns_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t width, bool right) {
  const std::string space(width > columns_of(text) ? width - columns_of(text) : 0, ' ');
  return right ? space + text : text + space;
}

using Table = std::vector<std::vector<std::string>>;  ///< rows of one cell are headings

std::string align(const Table& table) {
  std::vector<std::size_t> widths;
  for (const auto& row : table) {
    if (row.size() < 2) continue;
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns_of(row[i]));
  }
  std::string out;
  for (const auto& row : table) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += (i > 0 ? "   " : "") + (row.size() < 2 ? row[i] : padded(row[i], widths[i], i > 0));
    }
    out += line + "\n";
  }
  return out;
}

Table table_of(const Comparison& comparison) {
  Table table;
  const std::size_t n = comparison.groups.size();
  std::string section;
  for (const ComparedRow& row : comparison.rows) {
    if (row.section != section) {
      section = row.section;
      if (!table.empty()) table.push_back({""});
      std::vector<std::string> head{section + (row.lower_is_better ? ", % (less is better)" : ", %")};
      for (std::size_t g = 0; g < n; ++g) head.push_back(letter(g));
      for (std::size_t g = 1; g < n; ++g) head.push_back(letter(g) + " - A");
      table.push_back(std::move(head));
    }
    std::vector<std::string> line{"  " + row.name};
    for (const auto& group : row.groups) line.push_back(shown(group, " \xC2\xB1 "));
    for (std::size_t g = 1; g < n; ++g) line.push_back(shown(row.differences[g]));
    table.push_back(std::move(line));
  }
  return table;
}

std::string footnote(const Comparison& comparison) {
  std::string text;
  const bool spread = std::any_of(comparison.groups.begin(), comparison.groups.end(),
                                  [](const auto& group) { return group.runs.size() > 1; });
  if (spread) text += "\xC2\xB1 is the standard deviation over seeds of training. ";
  if (comparison.groups.size() > 1) {
    text += "Brackets: " + points(comparison.bootstrap.coverage, "%.0f") +
            " % interval of the difference over test images, from " +
            std::to_string(comparison.bootstrap.resamples) +
            " paired bootstrap resamples; it does not cover the seed of training.";
  }
  return text;
}

nlohmann::ordered_json json_of(const ComparedRow& row, std::size_t group) {
  nlohmann::ordered_json json;
  if (const auto& spread = row.groups[group]) {
    json = {{"mean", spread->mean},
            {"deviation", spread->deviation},
            {"low", spread->low},
            {"high", spread->high},
            {"runs", spread->runs}};
  }
  if (const auto& difference = row.differences[group]) {
    json["difference"] = difference->value;
    if (difference->interval) json["interval"] = {difference->interval->low, difference->interval->high};
  }
  return json;
}

std::string trimmed(const std::string& text) {
  return text.substr(std::min(text.size(), text.find_first_not_of(' ')));
}

std::string markdown_cell(const std::string& text) {
  std::string out;
  for (const char c : printable(text, 200)) {
    if (c == '<') {
      out += "&lt;";
      continue;
    }
    if (c == '|' || c == '\\' || c == '`' || c == '*' || c == '_' || c == '[') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::string to_text(const Comparison& comparison) {
  std::ostringstream out;
  out << printable(comparison.data, 200) << ", " << comparison.examples << " examples, evaluation seed "
      << comparison.evaluation_seed << "\n";
  for (std::size_t g = 0; g < comparison.groups.size(); ++g) {
    const RunGroup& group = comparison.groups[g];
    out << "  " << letter(g) << "  " << printable(group.title, 120) << " (" << seeds_of(group) << ")\n";
  }
  out << "\n" << align(table_of(comparison));
  if (const std::string note = footnote(comparison); !note.empty()) out << "\n" << note << "\n";
  return out.str();
}

std::string to_json(const Comparison& comparison) {
  nlohmann::ordered_json json = {{"data", comparison.data},
                                 {"examples", comparison.examples},
                                 {"evaluation_seed", comparison.evaluation_seed},
                                 {"bootstrap",
                                  {{"resamples", comparison.bootstrap.resamples},
                                   {"coverage", comparison.bootstrap.coverage},
                                   {"seed", comparison.bootstrap.seed}}}};
  json["groups"] = nlohmann::ordered_json::array();
  for (const RunGroup& group : comparison.groups) {
    json["groups"].push_back({{"title", group.title}, {"runs", group.names}, {"seeds", group.seeds}});
  }
  json["rows"] = nlohmann::ordered_json::array();
  for (const ComparedRow& row : comparison.rows) {
    nlohmann::ordered_json entry = {
        {"section", row.section}, {"name", trimmed(row.name)}, {"lower_is_better", row.lower_is_better}};
    entry["groups"] = nlohmann::ordered_json::array();
    for (std::size_t g = 0; g < row.groups.size(); ++g) entry["groups"].push_back(json_of(row, g));
    json["rows"].push_back(std::move(entry));
  }
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string to_csv(const Comparison& comparison) {
  std::ostringstream out;
  out << "section,row,group,runs,mean,deviation,low,high,difference,difference_low,difference_high\n";
  for (const ComparedRow& row : comparison.rows) {
    for (std::size_t g = 0; g < row.groups.size(); ++g) {
      out << csv_field(row.section) << ',' << csv_field(trimmed(row.name)) << ','
          << csv_field(comparison.groups[g].title);
      if (const auto& spread = row.groups[g]) {
        out << ',' << spread->runs << ',' << spread->mean << ',' << spread->deviation << ',' << spread->low
            << ',' << spread->high;
      } else {
        out << ",,,,,";
      }
      const auto& difference = row.differences[g];
      out << ',';
      if (difference) out << difference->value;
      if (difference && difference->interval) {
        out << ',' << difference->interval->low << ',' << difference->interval->high << '\n';
      } else {
        out << ",,\n";
      }
    }
  }
  return out.str();
}

std::string to_markdown(const Comparison& comparison) {
  std::ostringstream out;
  const std::size_t n = comparison.groups.size();
  out << "| % |";
  for (const RunGroup& group : comparison.groups) out << ' ' << markdown_cell(group.title) << " |";
  for (std::size_t g = 1; g < n; ++g)
    out << " difference" << (n > 2 ? " of " + std::to_string(g + 1) : "") << " |";
  out << "\n|---|";
  for (std::size_t i = 0; i + 1 < 2 * n; ++i) out << "---:|";
  out << "\n";
  std::string section;
  for (const ComparedRow& row : comparison.rows) {
    if (row.section != section) {
      section = row.section;
      out << "| **" << section << "** |";
      for (std::size_t i = 0; i + 1 < 2 * n; ++i) out << " |";
      out << "\n";
    }
    out << "| " << markdown_cell(trimmed(row.name)) << " |";
    for (const auto& group : row.groups) out << ' ' << shown(group, " \xC2\xB1 ") << " |";
    for (std::size_t g = 1; g < n; ++g) out << ' ' << shown(row.differences[g]) << " |";
    out << "\n";
  }
  const std::string note = footnote(comparison);
  if (!note.empty()) out << "\n" << note << "\n";
  return out.str();
}

}  // namespace noisymix

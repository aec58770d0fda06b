#include "tools/report/confusion_matrix.h"

#include <algorithm>
#include <numeric>

#include "tools/report/heat_map.h"
#include "tools/report/html.h"

namespace noisymix::report {
namespace {

constexpr std::size_t kListed = 15;

std::int64_t row_sum(const ConfusionMatrix& matrix, std::size_t row) {
  const auto begin = matrix.counts.begin() + static_cast<std::ptrdiff_t>(row * matrix.classes.size());
  return std::accumulate(begin, begin + static_cast<std::ptrdiff_t>(matrix.classes.size()), std::int64_t{0});
}

double share(const ConfusionMatrix& matrix, std::size_t row, std::size_t column) {
  const std::int64_t sum = row_sum(matrix, row);
  const std::int64_t count = matrix.counts[row * matrix.classes.size() + column];
  return sum > 0 ? static_cast<double>(count) / static_cast<double>(sum) : 0;
}

std::string table(const ConfusionMatrix& matrix) {
  std::string out =
      "<table>\n<thead><tr><th class=\"corner\">true \xE2\x86\x93 &nbsp; predicted \xE2\x86\x92</th>";
  for (const std::string& name : matrix.classes) {
    out += "<th scope=\"col\"><span>" + escape(name) + "</span></th>";
  }
  out += "</tr></thead>\n<tbody>\n";
  for (std::size_t row = 0; row < matrix.classes.size(); ++row) {
    out += "<tr><th scope=\"row\">" + escape(matrix.classes[row]) + "</th>";
    for (std::size_t column = 0; column < matrix.classes.size(); ++column) {
      const double part = share(matrix, row, column);
      const std::string text = percent(part, 0);
      // Mistakes above a third have the darkest colour: beside the diagonal shares are small.
      const std::string color = row == column ? heat_class(part, 0, 1) : difference_class(-part, 0.35);
      out += "<td class=\"" + color + (row == column ? " right" : "") + "\" title=\"" +
             escape(matrix.classes[row] + " as " + matrix.classes[column] + ": " + percent(part) + " %") +
             "\">" + (text == "0" ? "" : text) + "</td>";
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table>\n";
}

/// Empty when nothing was confused.
std::string list(const ConfusionMatrix& matrix) {
  const std::size_t n = matrix.classes.size();
  std::vector<std::size_t> wrong;
  for (std::size_t i = 0; i < n * n; ++i) {
    if (i / n != i % n && matrix.counts[i] > 0) wrong.push_back(i);
  }
  if (wrong.empty()) return "";
  const std::size_t shown = std::min(kListed, wrong.size());
  std::partial_sort(wrong.begin(), wrong.begin() + static_cast<std::ptrdiff_t>(shown), wrong.end(),
                    [&](std::size_t a, std::size_t b) {
                      return matrix.counts[a] != matrix.counts[b] ? matrix.counts[a] > matrix.counts[b]
                                                                  : a < b;
                    });
  std::string out =
      "<table class=\"list\"><thead><tr><th>true</th><th>predicted</th><th class=\"number\">share</th>"
      "</tr></thead>\n<tbody>\n";
  for (std::size_t i = 0; i < shown; ++i) {
    const std::size_t row = wrong[i] / n, column = wrong[i] % n;
    out += "<tr><td>" + escape(matrix.classes[row]) + "</td><td>" + escape(matrix.classes[column]) +
           "</td><td class=\"number\">" + percent(share(matrix, row, column)) + " %</td></tr>\n";
  }
  return out + "</tbody></table>\n";
}

}  // namespace

std::string draw(const ConfusionMatrix& matrix) {
  const std::size_t n = matrix.classes.size();
  if (n == 0 || matrix.counts.size() != n * n) return "";
  if (std::accumulate(matrix.counts.begin(), matrix.counts.end(), std::int64_t{0}) == 0) return "";
  const std::string content = n <= kLargestMatrix ? table(matrix) : list(matrix);
  if (content.empty()) return "";
  std::string out = "<figure class=\"confusion" + std::string(n > 10 && n <= kLargestMatrix ? " dense" : "") +
                    "\"><figcaption>";
  if (matrix.run) out += "<i class=\"dot " + run_class(*matrix.run) + "\"></i>";
  return out + escape(matrix.title) + "</figcaption>\n<div class=\"scroll\">" + content + "</div></figure>\n";
}

}  // namespace noisymix::report

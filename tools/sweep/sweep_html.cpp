// The table of a sweep as a page that stands alone.
#include "tools/report/html.h"
#include "tools/sweep/sweep_table.h"

namespace noisymix {
namespace {

using report::escape;

constexpr std::string_view kStyle = R"css(
body{max-width:1500px}
table.sweep{width:100%;border-collapse:collapse;margin-top:14px;font-size:14px}
table.sweep th,table.sweep td{padding:7px 12px;border-bottom:1px solid var(--faint);text-align:right;white-space:nowrap}
table.sweep th:first-child,table.sweep td:first-child{padding-left:0;text-align:left;white-space:normal}
table.sweep thead th{vertical-align:bottom;color:var(--muted);font-size:13px;font-weight:600;white-space:normal}
table.sweep thead button{padding:0;border:0;background:none;color:inherit;font:inherit;text-align:inherit;cursor:pointer}
table.sweep thead button:hover,table.sweep thead button:focus-visible{color:var(--ink);text-decoration:underline}
table.sweep th[aria-sort=descending] button::after{content:" \2193"}
table.sweep th[aria-sort=ascending] button::after{content:" \2191"}
table.sweep tbody th{color:var(--ink);font-weight:500}
table.sweep td.paper{color:var(--muted)}
table.sweep small{color:var(--muted);font-size:12px}
table.sweep td.best{font-weight:700}
table.sweep td.best small{font-weight:400}
ul.failures{margin:10px 0 0;padding-left:20px;color:var(--worse);overflow-wrap:anywhere}
)css";

/// Sorts the rows of a table by the clicked column: the better ones first, then the other way round; rows
/// without a value stay last.
constexpr std::string_view kScript = R"js(
for(const button of document.querySelectorAll('table.sweep thead button'))button.addEventListener('click',()=>{
const head=button.parentElement,table=head.closest('table'),column=head.cellIndex,body=table.tBodies[0];
const first=head.dataset.first,now=head.getAttribute('aria-sort');
const order=now?(now==='ascending'?'descending':'ascending'):first;
for(const other of table.tHead.rows[0].cells)other.removeAttribute('aria-sort');
head.setAttribute('aria-sort',order);
const value=row=>row.cells[column].dataset.value??'';
const sign=order==='ascending'?1:-1;
const compare=(a,b)=>{const x=value(a),y=value(b);if(x===''||y==='')return(x==='')-(y==='');
const d=Number(x)-Number(y);return sign*(Number.isNaN(d)?x.localeCompare(y):d)};
body.append(...[...body.rows].sort(compare))})
)js";

std::string heading(const std::string& title, bool higher_first) {
  return std::string("<th scope=\"col\" data-first=\"") + (higher_first ? "descending" : "ascending") +
         "\"><button type=\"button\">" + escape(title) + "</button></th>";
}

std::string data(double value) {
  return " data-value=\"" + std::to_string(value) + "\"";
}

std::string cell_markup(const SweepColumn& column, const std::optional<SweepCell>& cell) {
  if (!cell) return "<td>-</td>";
  SweepCell mean = *cell;
  mean.seeds = 1;
  const std::string all = shown_cell(column, cell), first = shown_cell(column, mean);
  return std::string("<td") + (cell->best ? " class=\"best\"" : "") + data(cell->mean) + ">" + first +
         (cell->seeds > 1 ? "<small>" + all.substr(first.size()) + "</small>" : "") + "</td>";
}

std::string row_markup(const SweepTable& table, const SweepTableRow& row) {
  std::string text =
      "<tr><th scope=\"row\" data-value=\"" + escape(row.label) + "\">" + escape(row.label) + "</th>";
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    text += cell_markup(table.columns[c], row.cells[c]);
    if (!table.has_paper[c]) continue;
    text += "<td class=\"paper\"" + (row.paper[c] ? data(*row.paper[c]) : "") + ">" +
            shown_paper(row.paper[c]) + "</td>";
  }
  const std::string seeds = shown_row(table, row, "").back();
  return text + "<td" + data(row.finished) + ">" + seeds + "</td></tr>\n";
}

std::string table_markup(const SweepTable& table, const std::vector<std::size_t>& rows) {
  std::string text = "<div class=\"scroll\"><table class=\"sweep\">\n<thead><tr>" + heading("Method", false);
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    text += heading(table.columns[c].title, table.columns[c].higher_is_better);
    if (table.has_paper[c]) text += heading("paper", table.columns[c].higher_is_better);
  }
  text += heading("Seeds", true) + "</tr></thead>\n<tbody>\n";
  for (const std::size_t row : rows) text += row_markup(table, table.rows[row]);
  return text + "</tbody></table></div>\n";
}

}  // namespace

std::string to_html(const SweepTable& table) {
  std::string notes;
  for (const std::string& note : table.notes) notes += (notes.empty() ? "" : " ") + note;
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n<title>" +
      escape(table.title) + "</title>\n<style>\n" + report::style_sheet();
  page.append(kStyle.substr(1))
      .append("</style>\n</head>\n<body>\n<header>\n<p class=\"eyebrow\">noisymix sweep</p>\n");
  page += "<h1>" + escape(table.title) + "</h1>\n<p class=\"subtitle\">" + escape(notes) +
          "</p>\n</header>\n<main>\n";
  for (const auto& [group, rows] : groups_of(table)) {
    page +=
        "<section>\n" + (group.empty() ? "" : "<h2>" + escape(group) + "</h2>\n") + table_markup(table, rows);
    std::string failures;
    for (const std::size_t row : rows)
      for (const std::string& failure : table.rows[row].failures)
        failures += "<li>" + escape(table.rows[row].label + ", " + failure) + "</li>\n";
    if (!failures.empty()) page += "<ul class=\"failures\">\n" + failures + "</ul>\n";
    page += "</section>\n";
  }
  page.append("</main>\n<script>").append(kScript).append("</script>\n</body>\n</html>\n");
  return page;
}

}  // namespace noisymix

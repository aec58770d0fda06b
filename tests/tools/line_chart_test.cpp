#include "tools/line_chart.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "engine/error.h"

using namespace noisymix;

namespace {

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

Chart chart(std::vector<std::array<double, 2>> points) {
  return {.title = "a < b", .x_name = "x", .lines = {{.name = "one", .points = std::move(points)}}};
}

}  // namespace

TEST_CASE("line chart: a line, its axes, its legend") {
  const std::string svg = draw_charts({chart({{0, 10}, {5, 30}})}, 2);
  CHECK(svg.starts_with("<svg"));
  CHECK(svg.ends_with("</svg>\n"));
  CHECK(svg.find("a &lt; b") != std::string::npos);
  CHECK(svg.find("points=\"64,300 464,40\"") != std::string::npos);  // from corner to corner
  for (const char* tick : {">10<", ">15<", ">20<", ">25<", ">30<", ">0<", ">5<"})
    CHECK(svg.find(tick) != std::string::npos);
  CHECK(svg.find("prefers-color-scheme:dark") != std::string::npos);
  CHECK(count(svg, ">one<") == 1);
}

TEST_CASE("line chart: what cannot be shown leaves gaps") {
  const double nan = std::nan(""), inf = std::numeric_limits<double>::infinity();
  const std::string svg =
      draw_charts({chart({{0, 1}, {1, 2}, {2, nan}, {3, 2}, {4, 3}, {5, inf}, {6, 1}})}, 1);
  CHECK(count(svg, "<polyline") == 3);
  CHECK(svg.find("nan") == std::string::npos);
  CHECK(svg.find("inf") == std::string::npos);
  CHECK(count(draw_charts({chart({})}, 1), "<polyline") == 0);
  CHECK(count(draw_charts({chart({{2, 2}})}, 1), "<polyline") == 1);
}

TEST_CASE("line chart: logarithmic axes") {
  Chart powers = chart({{0.01, 1e-6}, {0.1, 0}, {1, 1e-2}, {100, 1}});
  powers.log_x = powers.log_y = true;
  const std::string svg = draw_charts({powers}, 1);
  CHECK(count(svg, "<polyline") == 2);
  for (const char* tick : {">0.01<", ">1<", ">100<", ">1e-06<"}) CHECK(svg.find(tick) != std::string::npos);
  CHECK(svg.find("264,126.7 464,40") != std::string::npos);
}

TEST_CASE("line chart: lines of one name and style share an entry of the legend") {
  Chart both = chart({{0, 1}, {1, 2}});
  both.lines.push_back({.name = "one", .points = {{0, 2}, {1, 1}}, .color = 1});
  const std::string svg = draw_charts({both, both, chart({{0, 1}})}, 2);
  CHECK(count(svg, ">one<") == 2);
  CHECK(count(svg, "class=\"title\"") == 3);
  CHECK_THROWS_AS(draw_charts({}, 1), ShapeError);
  // Two entries side by side, or below each other where one is long.
  CHECK(svg.find("<text x=\"578\"") != std::string::npos);
  both.lines[0].name = std::string(80, 'w');
  CHECK(draw_charts({both, both}, 2).find("<text x=\"578\"") == std::string::npos);
}

TEST_CASE("line chart: a band lies behind its line and widens the axis") {
  Chart spread = chart({{0, 2}, {10, 3}});
  spread.lines[0].band = {{0, 1, 3}, {10, 2, 5}};
  const std::string svg = draw_charts({spread}, 1);
  // 1 to 5 over 260 pixels from y = 300 up: 3 is at 170, 5 at 40, 2 at 235, 1 at 300.
  CHECK(svg.find("<polygon class=\"band f0\" points=\"64,170 464,40 464,235 64,300 \"") != std::string::npos);
  CHECK(svg.find("<polygon") < svg.find("<polyline"));
  spread.lines[0].band[1][1] = std::nan("");
  CHECK(draw_charts({spread}, 1).find("nan") == std::string::npos);
}

#include <cmath>

#include <doctest/doctest.h>

#include "tests/tools/report/well_formed.h"
#include "tools/report/axis.h"
#include "tools/report/bar_chart.h"
#include "tools/report/confusion_matrix.h"
#include "tools/report/heat_map.h"
#include "tools/report/image_grid.h"
#include "tools/report/line_chart.h"
#include "tools/report/reliability_diagram.h"

using namespace noisymix;
using namespace noisymix::report;
using testing::html_fault;
using testing::occurrences;

TEST_CASE("axes have round ends") {
  const Axis axis = nice_axis(0.13, 0.91, 5);
  CHECK(axis.low == doctest::Approx(0));
  CHECK(axis.high == doctest::Approx(1));
  CHECK(axis.step == doctest::Approx(0.2));
  CHECK(nice_axis(0, 100, 5).high == doctest::Approx(100));
  const Axis flat = nice_axis(3, 3, 5);
  CHECK(flat.low < flat.high);
  CHECK(flat.step > 0);
  CHECK(nice_axis(NAN, 1, 5).high == 1);
}

TEST_CASE("a line chart breaks at values that are not finite") {
  LineChart chart{
      "Loss <1>", "epoch", {{"a & b", 0, false, true, {{1, 2}, {2, 1}, {3, NAN}, {4, 1}, {5, 0.5}}}}, {}, {},
      false,      ""};
  const std::string html = draw(chart);
  CHECK(html_fault(html) == "");
  CHECK(occurrences(html, "<polyline") == 2);
  CHECK(occurrences(html, "class=\"mark\"") == 4);
  CHECK(html.find("nan") == std::string::npos);
  CHECK(html.find("Loss &lt;1&gt;") != std::string::npos);
  chart.series[0].points = {{1, NAN}};
  CHECK(draw(chart) == "");
  chart.series[0].points = {{1, 5}};  // one epoch
  CHECK(html_fault(draw(chart)) == "");
  CHECK(draw(chart).find("nan") == std::string::npos);
  CHECK(draw(chart).find("inf") == std::string::npos);
}

TEST_CASE("heat maps colour by value") {
  CHECK(heat_class(0, 0, 1) == "s0");
  CHECK(heat_class(0.5, 0, 1) == "s5");
  CHECK(heat_class(1, 0, 1) == "s10");
  CHECK(heat_class(7, 0, 1) == "s10");
  CHECK(heat_class(1, 1, 1) == "s5");
  CHECK(difference_class(0, 0.1) == "z");
  CHECK(difference_class(0.1, 0.1) == "p5");
  CHECK(difference_class(-0.3, 0.1) == "n5");
  HeatMap map{"A < B", 1, {"1", "mean"}, {{"Noise", {{"Gaussian", {0.5, std::nullopt}}}}}, false, 0, 1};
  std::string html = draw(map);
  CHECK(html_fault(html) == "");
  CHECK(html.find("<td class=\"s5\">50.0</td>") != std::string::npos);
  CHECK(html.find("<td class=\"none mean\">") != std::string::npos);
  map.difference = true;
  map.high = 0.5;
  CHECK(draw(map).find("<td class=\"p5\">+50.0</td>") != std::string::npos);
}

TEST_CASE("bars tell better from worse") {
  BarChart chart{"Accuracy",
                 {"a", "\"b\""},
                 {{"Fog", {0.5, 0.75}, false}, {"None", {std::nullopt, std::nullopt}, false}},
                 1,
                 1,
                 false};
  std::string html = draw(chart);
  CHECK(html_fault(html) == "");
  CHECK(html.find("change better\">+25.0") != std::string::npos);
  CHECK(html.find("width:75.00%") != std::string::npos);
  CHECK(html.find("None") == std::string::npos);
  chart.lower_is_better = true;
  CHECK(draw(chart).find("change worse\">+25.0") != std::string::npos);
}

TEST_CASE("a reliability diagram has a bar for every bin with examples") {
  ReliabilityDiagram diagram{"Clean", 0, std::vector<BinSums>(16)};
  diagram.bins[15] = {10, 9.8, 9.7, 8};
  diagram.bins[8] = {10, 5.5, 3.1, 5};
  const std::string html = draw(diagram);
  CHECK(html_fault(html) == "");
  CHECK(occurrences(html, "class=\"fill\"") == 2);
  CHECK(html.find("ECE 11.5 %") != std::string::npos);  // (1.8 + 0.5) / 20
}

TEST_CASE("few classes are a matrix, many a list of the largest confusions") {
  ConfusionMatrix matrix{"Clean", 0, {"cat", "<script>dog", "frog"}, {8, 2, 0, 0, 10, 0, 1, 0, 9}};
  std::string html = draw(matrix);
  CHECK(html_fault(html) == "");
  CHECK(occurrences(html, "<td") == 9);
  CHECK(html.find("<script") == std::string::npos);
  CHECK(html.find("cat as &lt;script&gt;dog: 20.0 %") != std::string::npos);
  matrix.counts.pop_back();
  CHECK(draw(matrix) == "");

  matrix.classes.clear();
  for (int i = 0; i < 30; ++i) matrix.classes.push_back("class " + std::to_string(i));
  matrix.counts.assign(900, 0);
  for (std::size_t i = 0; i < 30; ++i) matrix.counts[31 * i] = 10;
  matrix.counts[3] = 10;   // 0 as 3, half
  matrix.counts[37] = 30;  // 1 as 7, three quarters
  html = draw(matrix);
  CHECK(html_fault(html) == "");
  CHECK(occurrences(html, "<tr>") == 3);
  CHECK(html.find("75.0 %") < html.find("50.0 %"));
}

TEST_CASE("harmed images show both answers") {
  ImageGrid grid{
      "Run", 0, {{Image(8, 8, 3), Image(8, 8, 3), "cat", "fog, severity 3", {"cat", 0.9}, {"<dog>", 0.98}}}};
  const std::string html = draw(grid);
  CHECK(html_fault(html) == "");
  CHECK(occurrences(html, "data:image/png") == 2);
  CHECK(html.find("&lt;dog&gt;</b> 98&nbsp;%") != std::string::npos);
  grid.images.clear();
  CHECK(draw(grid) == "");
}

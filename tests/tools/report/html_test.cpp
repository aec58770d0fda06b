#include "tools/report/html.h"

#include <doctest/doctest.h>

#include "tests/tools/report/well_formed.h"

using namespace noisymix;
using namespace noisymix::report;

TEST_CASE("markup in a text stays text") {
  CHECK(escape("<script>a & 'b' \"c\"</script>") ==
        "&lt;script&gt;a &amp; &#39;b&#39; &quot;c&quot;&lt;/script&gt;");
  CHECK(escape("plain, Größe \xE2\x88\x92 1") == "plain, Größe \xE2\x88\x92 1");
}

TEST_CASE("control characters and broken UTF-8 are replaced") {
  const std::string bad = "\xEF\xBF\xBD";
  CHECK(escape(std::string("a\0b", 3)) == "a" + bad + "b");
  CHECK(escape("a\x1B[2J") == "a" + bad + "[2J");
  CHECK(escape("\xC3") == bad);
  CHECK(escape("\xC0\xBC") == bad + bad);            // overlong "<"
  CHECK(escape("\xE2\x88") == bad + bad);            // cut off
  CHECK(escape("\xED\xA0\x80") == bad + bad + bad);  // a surrogate
  CHECK(escape("\xF4\x90\x80\x80") == bad + bad + bad + bad);
  CHECK(escape("\xF0\x9F\x90\xB8") == "\xF0\x9F\x90\xB8");
}

TEST_CASE("numbers for people") {
  CHECK(percent(0.8123) == "81.2");
  CHECK(percent(1, 0) == "100");
  CHECK(signed_points(0.0321) == "+3.2");
  CHECK(signed_points(-0.0321) ==
        "\xE2\x88\x92"
        "3.2");
  CHECK(signed_points(-0.0001) == "±0.0");
  CHECK(grouped(0) == "0");
  CHECK(grouped(1234567) == "1,234,567");
  CHECK(grouped(-1234) == "-1,234");
  CHECK(grouped(-123) == "-123");
  CHECK(duration(3.21) == "3.2 s");
  CHECK(duration(200) == "3 min 20 s");
  CHECK(duration(7260) == "2 h 1 min");
}

TEST_CASE("a picture is part of the page") {
  const Image image(4, 6, 3);
  const std::string html = picture(image, "a \"<cat>\"", 96);
  CHECK(html.find("src=\"data:image/png;base64,iVBORw0KGgo") != std::string::npos);
  CHECK(html.find("width=\"96\" height=\"64\"") != std::string::npos);
  CHECK(html.find("alt=\"a &quot;&lt;cat&gt;&quot;\"") != std::string::npos);
  CHECK(html.find("class=\"pixels\"") != std::string::npos);
  CHECK(testing::html_fault(html) == "");
}

TEST_CASE("the frame of a page") {
  const std::string page = frame_page({"<title>", "sub & title", ""},
                                      {{"a", "First <h>", "text", "<p>x</p>\n"}, {"b", "Second", "", ""}});
  CHECK(testing::html_fault(page) == "");
  CHECK(page.find("<a href=\"#a\">First &lt;h&gt;</a>") != std::string::npos);
  CHECK(page.find("prefers-color-scheme:dark") != std::string::npos);
  CHECK(page.find("@media print") != std::string::npos);
}

TEST_CASE("the checker of these tests finds faults") {
  CHECK(testing::html_fault("<p><b>x</b></p>") == "");
  CHECK(testing::html_fault("<p><b>x</p></b>") != "");
  CHECK(testing::html_fault("<p>x") != "");
  CHECK(testing::html_fault("<p>a & b</p>") != "");
  CHECK(testing::html_fault("<p>a > b</p>") != "");
  CHECK(testing::html_fault("<img src=\"a\">") == "");
}

// The line that long work shows.
#include "tools/work_progress.h"

#include <doctest/doctest.h>

#include <sstream>

using namespace noisymix;

TEST_CASE("work progress: lines in a log, at most one in ten seconds") {
  std::ostringstream out;
  double now = 0;
  WorkProgress progress(out, false, 80, "images", [&] { return now; });
  now = 4;
  progress.show("fog 1", 400, 4000);
  CHECK(out.str().empty());
  now = 20;
  progress.show("fog 2", 2000, 12345);
  CHECK(out.str() == " 16 %  2,000 of 12,345 images  100/s  ETA 1:43  fog 2\n");
  now = 21;
  progress.show("fog 3", 3000, 12345);
  CHECK(out.str().find("fog 3") == std::string::npos);
}

TEST_CASE("work progress: a terminal's line is redrawn, cut to its width, and taken away") {
  std::ostringstream out;
  double now = 0;
  {
    WorkProgress progress(out, true, 20, "images", [&] { return now; });
    now = 1;
    progress.show("snow 5", 1, 2);
    CHECK(out.str() == "\r\x1b[K 50 %  1 of 2 image");
    progress.line("notice");
    CHECK(out.str().ends_with("\r\x1b[Knotice\n"));
  }
  CHECK(out.str().ends_with("notice\n"));
}

TEST_CASE("work progress: durations") {
  CHECK(shown_duration(0) == "0:00");
  CHECK(shown_duration(75) == "1:15");
  CHECK(shown_duration(3700) == "1:01:40");
  CHECK(shown_duration(-5) == "0:00");
}

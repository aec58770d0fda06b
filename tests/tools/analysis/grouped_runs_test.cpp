#include "tools/analysis/grouped_runs.h"

#include <doctest/doctest.h>

#include "engine/error.h"

using namespace noisymix;

TEST_CASE("grouped runs: NAME=RUN,RUN") {
  const auto runs = parse_group("NFM 0.4=runs/a,runs/b");
  REQUIRE(runs.size() == 2);
  CHECK(runs[0].group == "NFM 0.4");
  CHECK(runs[1].path == "runs/b");
  for (const char* wrong : {"", "a", "=a", "a=", "a=b,,c"}) CHECK_THROWS_AS(parse_group(wrong), ConfigError);
}

TEST_CASE("grouped runs: a run counts once") {
  CHECK_NOTHROW(check_distinct({{"a", ""}, {"b", ""}}));
  CHECK_THROWS_AS(check_distinct({{"a", ""}, {"./a/", "x"}}), ConfigError);
}

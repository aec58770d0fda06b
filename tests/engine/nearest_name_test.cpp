// "Did you mean".
#include "engine/nearest_name.h"

#include <doctest/doctest.h>

using noisymix::nearest_name;

TEST_CASE("nearest name") {
  const std::vector<std::string> known{"preactresnet18", "wrn28-2", "wrn28-4", "toy-nfm"};
  CHECK(nearest_name("wrn28_4", known) == "wrn28-4");
  CHECK(nearest_name("wrn28", known) == "wrn28-2");  // a tie: the first
  CHECK(nearest_name("preactresnet", known) == "preactresnet18");
  CHECK(nearest_name("toy-nfm", known) == "toy-nfm");
  CHECK(nearest_name("vit", known).empty());
  CHECK(nearest_name("", known).empty());
  CHECK(nearest_name("x", {}).empty());
}

// docs/config.md is the program's own reference.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "tools/config.h"

TEST_CASE("config reference: docs/config.md is up to date (noisymix config reference > docs/config.md)") {
  std::ifstream in(std::string(NOISYMIX_FIXTURES) + "/../../docs/config.md");
  REQUIRE(in.good());
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  CHECK(text == noisymix::config_reference_markdown());
}

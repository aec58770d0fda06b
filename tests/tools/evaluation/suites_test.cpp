// Names of suites and types, and what bad ones say.
#include "tools/evaluation/suites.h"

#include <doctest/doctest.h>

#include "engine/error.h"

using namespace noisymix;

TEST_CASE("suites: clean comes first, each once, all means all") {
  CHECK(suites_named({"noise", "clean", "noise"}) == std::vector<Suite>{Suite::clean, Suite::noise});
  CHECK(suites_named({"attacks"}) == std::vector<Suite>{Suite::clean, Suite::attacks});
  CHECK(suites_named({"all"}).size() == 6);
}

TEST_CASE("suites: bad names") {
  CHECK_THROWS_WITH_AS(suites_named({"corruption"}),
                       "unknown suite 'corruption', did you mean corruptions? (known: clean, corruptions, sequences, "
                       "noise, attacks, calibration)",
                       ConfigError);
  CHECK_THROWS_AS(suites_named({""}), ConfigError);
  CHECK_THROWS_AS(suites_named({}), ConfigError);
  CHECK_THROWS_WITH_AS(corruptions_named({"fogg"}), doctest::Contains("did you mean fog?"), ConfigError);
  CHECK_THROWS_AS(sequences_named({"spin"}), ConfigError);
}

TEST_CASE("suites: groups of types") {
  CHECK(corruptions_named({"all"}).size() == 19);
  CHECK(corruptions_named({"benchmark", "fog"}).size() == 15);
  CHECK(corruptions_named({"saturate", "fog", "saturate"}) ==
        std::vector<CorruptionType>{CorruptionType::fog, CorruptionType::saturate});
  CHECK(sequences_named({"benchmark"}).size() == 10);
  CHECK(sequences_named({"all"}).size() == 14);
  CHECK(corruptions_named({}).empty());
}

TEST_CASE("suites: constants by image size") {
  CHECK(parameters_for(32) == ParameterSet::cifar);
  CHECK(parameters_for(64) == ParameterSet::tiny_imagenet);
  CHECK(parameters_for(224) == ParameterSet::imagenet);
}

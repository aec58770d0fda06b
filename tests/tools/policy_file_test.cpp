// Policies from files: what is read, and one useful line for everything that cannot be.
#include "tools/policy_file.h"

#include <doctest/doctest.h>

#include "augment/policies/auto_augment.h"
#include "engine/error.h"
#include "tests/data/expect_data_error.h"
#include "tests/scratch_folder.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("policy file: operations, probabilities and levels") {
  ScratchFolder folder;
  const auto file = folder.write("p.json", std::string(R"([[["Rotate", 0.7, 0.75], ["Cutout", 1, 0.5]],
                                                        [["Invert", 0, 0]]])"));
  const Policy policy = read_policy_file(file);
  REQUIRE(policy.size() == 2);
  REQUIRE(policy[0].size() == 2);
  CHECK(policy[0][0].operation == PolicyOperation::rotate);
  CHECK(policy[0][0].probability == 0.7);
  CHECK(policy[0][0].swing == doctest::Approx(15));
  CHECK(policy[0][1].centre == doctest::Approx(0.1));
  CHECK(policy[1][0].operation == PolicyOperation::invert);
  CHECK_NOTHROW(check_policy(policy));
  CHECK(find_policy(file.string()).size() == 2);
}

TEST_CASE("policy file: names of built-in policies") {
  CHECK(find_policy("none").empty());
  CHECK(find_policy("cifar").size() == 25);
  CHECK(find_policy("imagenet")[0][1].operation == PolicyOperation::rotate);
  CHECK_THROWS_WITH_AS(find_policy("cifr"), "views.policy: no policy file 'cifr'; did you mean cifar?",
                       ConfigError);
  CHECK_THROWS_WITH_AS(
      find_policy("my/policy.json"),
      "views.policy: no policy file 'my/policy.json', expected none, cifar, imagenet or a JSON file",
      ConfigError);
}

TEST_CASE("policy file: every mistake is one line with file, place and what was expected") {
  ScratchFolder folder;
  const auto refused = [&](const std::string& text, const std::string& message) {
    const auto file = folder.write("p.json", text);
    CAPTURE(text);
    expect_data_error(file.string() + ": ", message, [&] { read_policy_file(file); });
  };
  refused("", "is no JSON from byte 1");
  refused("[[[\"Rotate\", 0.7", "is no JSON from byte");
  refused(std::string(100000, '['), "is no JSON from byte");
  refused("\xff\xfe", "is no JSON");
  refused("[[[\"Rotate\", 1e999, 0]]]", "out of range");
  refused("{}", "expected a list of sub-policies");
  refused("[]", "expected a list of sub-policies");
  refused("[[]]", "sub-policy 1: expected a list of 1 to 16 operations");
  refused("[[[\"Invert\", 1, 0]], 3]", "sub-policy 2: expected a list of 1 to 16 operations");
  refused("[[\"Invert\", 1, 0]]", "sub-policy 1: expected [operation, probability, level]");
  refused("[[[\"Invert\", 1]]]", "sub-policy 1: expected [operation, probability, level]");
  refused("[[[1, 1, 1]]]", "sub-policy 1: expected [operation, probability, level]");
  refused("[[[\"Rotatee\", 1, 1]]]", "sub-policy 1: no operation 'Rotatee'; did you mean Rotate?");
  refused("[[[\"zzz\\n\", 1, 1]]]", "sub-policy 1: no operation 'zzz?', expected one of ShearX, ShearY");
  refused("[[[\"Rotate\", 1.5, 1]]]", "sub-policy 1: the probability is 1.5, expected 0 to 1");
  refused("[[[\"Rotate\", \"often\", 1]]]",
          "sub-policy 1: the probability is string, expected a number 0 to 1");
  refused("[[[\"Rotate\", 0.5, -1]]]", "sub-policy 1: the level is -1, expected 0 to 1");
  expect_data_error("missing.json", "", [&] { read_policy_file(folder / "missing.json"); });
  expect_data_error(folder.path().string(), "", [&] { read_policy_file(folder.path()); });
}

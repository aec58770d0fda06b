#include "engine/optim/schedule.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/io/safetensors.h"
#include "tests/golden.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

struct Reference {
  nlohmann::json entry;
  std::vector<double> rates;
};

Reference reference(const std::string& name) {
  const auto manifest = read_json(fixture_path("training/manifest.json"));
  for (const auto& entry : manifest.at("schedules"))
    if (entry.at("name") == name)
      return {entry, read_safetensors(fixture_path("training/training.safetensors"))
                         .at(entry.at("tensor").get<std::string>())
                         .to_vector<double>()};
  FAIL("no schedule " << name);
  return {};
}

void check_rates(const Schedule& schedule, const std::vector<double>& want, std::size_t begin = 0,
                 std::size_t end = SIZE_MAX) {
  for (std::size_t step = begin; step < std::min(end, want.size()); ++step) {
    INFO("step " << step);
    CHECK(std::abs(schedule(static_cast<std::int64_t>(step)) - want[step]) <= 1e-12);
  }
}

}  // namespace

TEST_CASE("cosine follows the reference and stays at its floor") {
  for (const char* name : {"cosine_0", "cosine_1", "cosine_2"}) {
    const auto [entry, rates] = reference(name);
    const Schedule schedule =
        cosine_schedule(entry.at("lr_max"), entry.at("lr_min"), entry.at("total_steps"));
    check_rates(schedule, rates);
    CHECK(schedule(1'000'000) == doctest::Approx(entry.at("lr_min").get<double>()));
  }
}

TEST_CASE("multi-step follows the references") {
  const auto multistep = reference("multistep");
  check_rates(multi_step_schedule(multistep.entry.at("lr0"), multistep.entry.at("milestones"),
                                  multistep.entry.at("gamma")),
              multistep.rates);
  const auto step = reference("step");
  check_rates(multi_step_schedule(step.entry.at("lr0"), {4, 8, 12}, step.entry.at("gamma")), step.rates);
}

TEST_CASE("warm-up follows the references") {
  const auto linear = reference("linear_warmup");
  const double lr = linear.entry.at("lr0");
  check_rates(warm_up_schedule(lr * linear.entry.at("start_factor").get<double>(),
                               linear.entry.at("total_iters"), constant_schedule(lr)),
              linear.rates);
  // This reference rises from lr / 5 at step 0 to lr at step 4, and its cosine starts at step 5.
  const auto cosine = reference("warmup_cosine");
  check_rates(warm_up_schedule(0.02, 4, constant_schedule(0.1)), cosine.rates, 0, 5);
  check_rates(warm_up_schedule(0.02, 5, cosine_schedule(0.1, 0, 25)), cosine.rates, 5);
}

TEST_CASE("constant, zero rates and empty warm-up") {
  CHECK(constant_schedule(0.3)(12345) == 0.3);
  CHECK(cosine_schedule(0, 0, 3)(1) == 0);
  CHECK(warm_up_schedule(0, 0, constant_schedule(0.3))(0) == 0.3);
  CHECK(multi_step_schedule(0.3, {}, 0.1)(7) == 0.3);
}

TEST_CASE("schedules reject arguments out of range") {
  CHECK_THROWS_WITH_AS(constant_schedule(-1), "[constant] lr -1, expected a finite number of at least 0",
                       ConfigError);
  CHECK_THROWS_WITH_AS(cosine_schedule(0.1, NAN, 3),
                       "[cosine] floor nan, expected a finite number of at least 0", ConfigError);
  CHECK_THROWS_WITH_AS(cosine_schedule(0.1, 0, 0), "[cosine] expects at least one step, got 0", ConfigError);
  CHECK_THROWS_WITH_AS(multi_step_schedule(0.1, {}, -1),
                       "[multistep] gamma -1, expected a finite number of at least 0", ConfigError);
  CHECK_THROWS_WITH_AS(warm_up_schedule(0, -1, constant_schedule(0.1)),
                       "[warm-up] steps must not be negative, got -1", ConfigError);
}

#include "tools/analysis/second_order.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "tests/check_op.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

SecondOrderOptions small() {
  SecondOrderOptions options;
  options.epochs = 6;
  options.points = 80;
  options.batch = 16;
  options.draws = 4;
  options.seed = 3;
  return options;
}

}  // namespace

TEST_CASE("second-order check: training lowers both sides, which stay close") {
  int heard = 0;
  const auto epochs =
      second_order_check(small(), [&](const SecondOrderEpoch& epoch) { CHECK(epoch.epoch == heard++); });
  REQUIRE(epochs.size() == 7);
  CHECK(heard == 7);
  CHECK(epochs.back().train.exact.value < epochs.front().train.exact.value - 0.05);
  CHECK(epochs.back().train.expansion.sum() < epochs.front().train.expansion.sum() - 0.05);
  const SecondOrderGap gap = second_order_gap(epochs);
  CHECK(gap.mean < 0.1);
  CHECK(gap.largest >= gap.mean);
  for (const SecondOrderEpoch& epoch : epochs) {
    // Mixing pulls points together: the loss without the regularisers is smaller once there is something to
    // lose.
    CHECK(epoch.train.expansion.r3 == 0);
    CHECK(epoch.train.expansion.r2 >= 0);
    CHECK(epoch.train.exact.error > 0);
  }
}

TEST_CASE("second-order check: the same bits for any number of threads, other ones for another seed") {
  SecondOrderOptions options = small();
  options.epochs = 2;
  const auto run = [&] {
    std::vector<double> numbers;
    for (const SecondOrderEpoch& epoch : second_order_check(options))
      for (const SecondOrderPoint* point : {&epoch.train, &epoch.test})
        numbers.insert(numbers.end(), {point->exact.value, point->exact.error, point->expansion.sum()});
    return Tensor::from(numbers, {static_cast<std::int64_t>(numbers.size())});
  };
  check_same_bits_for_any_threads([&] { return std::vector<Tensor>{run()}; });
  const Tensor before = run();
  options.seed = 4;
  CHECK_FALSE(same_bits(run(), before));
}

TEST_CASE("second-order check: files") {
  SecondOrderOptions options = small();
  options.epochs = 1;
  options.activation = ActivationKind::gelu;
  const auto epochs = second_order_check(options);
  const auto json = nlohmann::json::parse(second_order_json(options, epochs));
  CHECK(json["activation"] == "gelu");
  REQUIRE(json["results"].size() == 2);
  const auto& train = json["results"][1]["train"];
  CHECK(train["r3"] != 0.0);
  CHECK(train["approximation"].get<double>() ==
        doctest::Approx(train["standard"].get<double>() + train["r1"].get<double>() +
                        train["r2"].get<double>() + train["r3"].get<double>()));
  const std::string csv = second_order_csv(epochs);
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 5);
  const std::string svg = second_order_svg(epochs);
  CHECK(svg.starts_with("<svg"));
  CHECK(svg.find("Test points") != std::string::npos);
  options.epochs = -1;
  CHECK_THROWS_AS(second_order_check(options), ConfigError);
}

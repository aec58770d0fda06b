#include "tools/progress.h"

#include <doctest/doctest.h>

#include <sstream>
#include <string>

using namespace noisymix;

namespace {

TrainStart start_of(std::int64_t epochs, std::int64_t steps) {
  return {.model = "net",
          .train_data = "train set",
          .test_data = "test set",
          .parameters = 123,
          .epochs = epochs,
          .steps_per_epoch = steps};
}

StepReport step_at(std::int64_t epoch, std::int64_t batch, std::int64_t step) {
  StepReport report{.epoch = epoch, .batch = batch, .step = step, .images = 50};
  report.loss = 1.25;
  report.seconds = 0.5;
  report.stats.accuracy = 0.75;
  return report;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("a terminal gets one line that is redrawn at most ten times a second") {
  std::ostringstream out;
  double time = 0;
  const auto progress = make_progress(out, {.terminal = true, .width = 100, .clock = [&] { return time; }});
  progress->started(start_of(2, 1000));
  out.str("");
  for (int i = 0; i < 100; ++i) {
    progress->step_done(step_at(0, i, i));
    time += 0.01;
  }
  CHECK(count(out.str(), "\r") == 10);
  CHECK(count(out.str(), "\n") == 0);
  CHECK(out.str().find("epoch 1/2") != std::string::npos);
  CHECK(out.str().find("1/1000") != std::string::npos);
  CHECK(out.str().find("loss 1.2500  acc 75.0 %  100 images/s  ETA 16:40") != std::string::npos);
  progress->stopped();
  CHECK(out.str().back() == '\n');
  const std::string before = out.str();
  progress->stopped();
  CHECK(out.str() == before);
}

TEST_CASE("the drawn line fits any terminal") {
  for (const int width : {1, 10, 40, 80, 300}) {
    CAPTURE(width);
    std::ostringstream out;
    const auto progress = make_progress(out, {.terminal = true, .width = width, .clock = [] { return 0.0; }});
    progress->started(start_of(200, 391));
    out.str("");
    progress->step_done(step_at(3, 390, 5000));
    const std::string erase = "\r\x1b[K";
    REQUIRE(out.str().starts_with(erase));
    CHECK(static_cast<int>(out.str().size() - erase.size()) < std::max(width, 1));
  }
}

TEST_CASE("without a terminal there are only whole lines, few of them") {
  std::ostringstream out;
  double time = 0;
  const auto progress = make_progress(out, {.clock = [&] { return time; }});
  progress->started(start_of(2, 60));
  for (int i = 0; i < 60; ++i) {
    progress->step_done(step_at(0, i, i));
    time += 0.5;
  }
  CHECK(count(out.str(), "step ") == 2);  // after 10 and 20 of the 30 seconds
  CHECK(count(out.str(), "\r") == 0);
  CHECK(count(out.str(), "\x1b") == 0);
  EpochReport epoch{.epoch = 1, .step = 60, .train_loss = 1.5, .train_accuracy = 0.5};
  epoch.test = TestResult{1.0, 0.625};
  epoch.best = true;
  epoch.seconds = 75;
  epoch.images_per_second = 80;
  progress->epoch_done(epoch);
  progress->stopped();
  const std::string last = "epoch 1/2  loss 1.5000  train 50.00 %  test 62.50 % (best)  80 images/s  1:15\n";
  CHECK(out.str().ends_with(last));
}

TEST_CASE("a resumed run says where it continues") {
  std::ostringstream out;
  TrainStart start = start_of(2, 60);
  start.first_step = 70;
  make_progress(out, {})->started(start);
  CHECK(out.str() ==
        "model net, 123 parameters\ntrain on train set, test on test set\nresumed at step 70 of 120\n");
}

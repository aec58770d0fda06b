// A training process is killed without warning, again and again, and then resumed.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "tests/tools/small_runs.h"
#include "tests/scratch_folder.h"
#include "tests/tools/same_state.h"
#include "tools/run_directory.h"
#include "tools/stop_signals.h"
#include "tools/trainer.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

namespace fs = std::filesystem;
constexpr const char* kRunVariable = "NOISYMIX_TEST_RUN";

Config long_run() {
  Config config = circles_run();
  config.train.epochs = 40;
  config.train.checkpoint_steps = 5;
  return config;
}

/// Slows training down, so that a kill falls into it.
class Dawdle : public TrainObserver {
 public:
  void step_done(const StepReport&) override { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }
};

void train(const fs::path& run, TrainObserver& observer) {
  Trainer(long_run(), {run, RunDirectory(run).exists(), {}}, observer).run();
}

/// Starts this test program again to run nothing but the child below.
::pid_t start_child(const fs::path& run) {
  const ::pid_t child = ::fork();
  if (child == 0) {
    ::setenv(kRunVariable, run.c_str(), 1);
    ::execl("/proc/self/exe", "tests_tools", "--no-skip", "--test-case=child of the kill test", nullptr);
    ::_exit(127);
  }
  return child;
}

}  // namespace

TEST_CASE("a termination signal ends a run between two steps, with a checkpoint") {
  class Terminate : public TrainObserver {
   public:
    void step_done(const StepReport& report) override {
      if (report.step == 8) ::raise(SIGTERM);
    }
  };
  const ScratchFolder folder;
  Terminate observer;
  const StopSignals signals;
  CHECK(!StopSignals::requested());
  const TrainSummary summary =
      Trainer(circles_run(), {folder / "run", false, StopSignals::requested}, observer).run();
  CHECK(summary.end == TrainEnd::interrupted);
  CHECK(summary.steps == 9);
  CHECK(load_checkpoint(RunDirectory(folder / "run").checkpoints().back()).position.step == 9);
}

TEST_CASE("child of the kill test" * doctest::skip()) {
  if (const char* run = std::getenv(kRunVariable)) {
    Dawdle observer;
    train(run, observer);
  }
}

TEST_CASE("a run killed at arbitrary moments and resumed equals one left alone") {
  const ScratchFolder folder;
  TrainObserver nobody;
  train(folder / "whole", nobody);
  int killed = 0;
  for (const int milliseconds : {40, 150, 230, 310, 470}) {
    const ::pid_t child = start_child(folder / "run");
    REQUIRE(child > 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status)) ++killed;
    CHECK((WIFSIGNALED(status) || WEXITSTATUS(status) == 0));
  }
  CHECK(killed > 0);
  train(folder / "run", nobody);
  CHECK(file_bytes(folder / "run" / "model.safetensors") ==
        file_bytes(folder / "whole" / "model.safetensors"));
  CHECK(file_bytes(folder / "run" / "best.safetensors") == file_bytes(folder / "whole" / "best.safetensors"));
  CHECK(comparable_metrics(folder / "run") == comparable_metrics(folder / "whole"));
}

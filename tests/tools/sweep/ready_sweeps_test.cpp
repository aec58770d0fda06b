// Every sweep that comes with the program names configurations that exist, and settings that they take.
#include "tools/sweep/ready_sweeps.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "tools/ready_configs.h"
#include "tools/sweep/sweep_file.h"

using namespace noisymix;

TEST_CASE("ready sweeps: all load and have a comment and a title") {
  CHECK(ready_sweeps().size() >= 7);
  for (const ReadySweep& ready : ready_sweeps()) {
    const std::string name(ready.name);
    CAPTURE(name);
    CHECK(name.starts_with("papers/"));
    CHECK(ready.text.starts_with("# "));
    CHECK(!ready_sweep_summary(ready).empty());
    const Sweep sweep = load_sweep(name, {});
    CHECK(sweep.rows.size() >= 2);
    CHECK(!sweep.title.empty());
    CHECK(load_sweep(name.substr(7), {}).title == sweep.title);
  }
}

TEST_CASE("ready sweeps: they are no configurations") {
  for (const ReadyConfig& config : ready_configs()) {
    const std::string name(config.name);
    CAPTURE(name);
    CHECK(config.text.find("[[row]]") == std::string_view::npos);
  }
}

TEST_CASE("ready sweeps: what the papers print") {
  const Sweep sweep = load_sweep("noisymix-table2", {});
  CHECK(sweep.seeds.size() == 5);
  const SweepRow& last = sweep.rows.back();
  CHECK(last.label == "NoisyMix");
  CHECK(last.group == "CIFAR-100");
  CHECK(last.config.data.name == "cifar100");
  CHECK(last.paper == std::vector<std::pair<std::string, double>>{{"clean", 79.7}, {"corruption", 71.0}});
  CHECK(load_sweep("noisymix-table4", {}).rows.size() == 10);
}

TEST_CASE("ready sweeps: unknown names") {
  CHECK_THROWS_WITH_AS(
      load_sweep("papers/noisymix-tabel2", {}),
      "no file or ready sweep 'papers/noisymix-tabel2'; did you mean papers/noisymix-table2?", ConfigError);
}

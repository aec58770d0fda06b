// Every configuration that comes with the program loads, and its network can be built.
#include "tools/ready_configs.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "engine/error.h"
#include "tools/config.h"
#include "tools/scheme.h"

using namespace noisymix;

TEST_CASE("ready configs: all load, have a title and a comment, and write back the same") {
  CHECK(ready_configs().size() >= 100);
  std::set<std::string> titles;
  for (const ReadyConfig& ready : ready_configs()) {
    const std::string name(ready.name);
    CAPTURE(name);
    const Config config = parse_config(name, std::string(ready.text), {});
    CHECK(ready.text.starts_with("# "));
    CHECK(!ready_config_summary(ready).empty());
    CHECK(!config.title.empty());
    CHECK(to_toml(parse_config(name, to_toml(config), {})) == to_toml(config));
    CHECK_NOTHROW(
        make_views(config.views, make_normalization(config.data.normalization), config.data.transform.crop));
    CHECK_NOTHROW(make_objective(config));
  }
}

TEST_CASE("ready configs: the small networks can be built and announce the layers to mix at") {
  for (const ReadyConfig& ready : ready_configs()) {
    const std::string name(ready.name);
    CAPTURE(name);
    if (!name.starts_with("toy-") && name.find("demo") == std::string::npos && name != "cifar100-ablation-10")
      continue;
    const Config config = parse_config(name, std::string(ready.text), {});
    const auto stages = make_model(config.model.name, config.model.options, Key(1))->stages();
    for (const int layer : config.mix.layers) {
      CHECK(std::find(stages.begin(), stages.end(), layer) != stages.end());
    }
  }
}

TEST_CASE("ready configs: what the papers print") {
  const auto load = [](const char* name) { return parse_config(name, find_config(name).text, {}); };
  const Config noisymix = load("cifar10-noisymix");
  CHECK(view_count(noisymix.views) == 3);
  CHECK(noisymix.mix.mix);
  CHECK(noisymix.mix.alpha == 1);
  CHECK(noisymix.mix.add == 0.5);
  CHECK(noisymix.mix.mult == 0.5);
  CHECK(noisymix.mix.sparse == 0.65);
  CHECK(noisymix.mix.view_scale == ViewScale::index);
  CHECK(noisymix.objective.consistency_weight == 12);
  CHECK(noisymix.schedule.name == "cosine");
  const Config nfm = load("cifar10-nfm");
  CHECK(nfm.mix.add == 0.4);
  CHECK(nfm.mix.mult == 0.2);
  CHECK(nfm.mix.sparse == 0);
  CHECK(nfm.schedule.milestones == std::vector<std::int64_t>{100, 150, 180});
  CHECK_FALSE(nfm.optimizer.nesterov);
  CHECK_FALSE(nfm.views.crop_flip.flip_first);
  CHECK(load("cifar100-ablation-02").mix.active());
  CHECK_FALSE(load("cifar100-ablation-02").mix.mix);
  CHECK_FALSE(load("cifar100-ablation-07").mix.active());
}

TEST_CASE("ready configs: unknown names") {
  CHECK_THROWS_WITH_AS(find_config("cifar10-noisymx"),
                       "no file or ready configuration 'cifar10-noisymx'; did you mean cifar10-noisymix?",
                       ConfigError);
  CHECK_THROWS_WITH_AS(find_config("missing.toml"), "missing.toml: there is no such file", ConfigError);
}

TEST_CASE("ready configs: the DiGN family differs by what the paper says") {
  const auto load = [](const std::string& name) { return parse_config(name, find_config(name).text, {}); };
  for (const std::string data : {"cifar10-", "cifar100-"}) {
    CAPTURE(data);
    const double lambda = data == "cifar10-" ? 0.2 : 0.3;
    const Config dign = load(data + "dign"), js = load(data + "dign-js"), both = load(data + "dign-augmix");
    for (const Config* config : {&dign, &js, &both}) {
      CHECK(config->perturb.noise == 0.2);
      CHECK(config->perturb.noise_law == "uniform");
      CHECK(config->perturb.consistency_weight == lambda);
      CHECK(config->objective.separate_forwards);
      CHECK(config->data.normalization == "none");
      CHECK(config->train.batch == 512);
    }
    CHECK(dign.perturb.copies == 3);
    CHECK(dign.perturb.consistency == "kl");
    CHECK(js.perturb.copies == 2);
    CHECK(js.perturb.consistency == "jensen_shannon");
    CHECK(view_count(both.views) == 3);
    CHECK(both.views.augmix.random_severity);
    CHECK(both.objective.consistency_weight == 12);
    CHECK_FALSE(load(data + "dign-no-consistency").perturb.keep_clean);
    CHECK(load(data + "rse").ensemble.copies == 10);
    CHECK(load(data + "free").train.replays == 8);
    const Config trades = load(data + "trades"), pgd = load(data + "pgd-linf");
    CHECK(trades.perturb.attack == "kl");
    CHECK(trades.perturb.start == "normal");
    CHECK(trades.perturb.consistency_weight == 3);
    CHECK(pgd.perturb.epsilon == doctest::Approx(8.0 / 255));
    CHECK(pgd.perturb.iterations == 7);
    CHECK(pgd.perturb.start == "zero");
    CHECK_FALSE(pgd.perturb.clip);
    CHECK(load(data + "augmax").perturb.iterations == 10);
  }
}

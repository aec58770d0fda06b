// Reading and writing settings: every mistake has its place and its text.
#include "tools/config.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "engine/error.h"
#include "tools/schema.h"

using namespace noisymix;

namespace {

std::string error_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    parse_config("run.toml", text, overrides);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

struct Mistake {
  std::string text, message;
};

}  // namespace

TEST_CASE("config: an empty file is the defaults") {
  CHECK(to_toml(parse_config("empty", "", {})) == to_toml(Config{}));
}

TEST_CASE("config: mistakes in a file") {
  const std::vector<Mistake> table = {
      {"[optimizer]\nlr = \"fast\"\n", "run.toml:2:1: optimizer.lr: expected a number, got \"fast\""},
      {"[optimizer]\n  lr = 0\n", "run.toml:2:3: optimizer.lr: must be > 0, got 0.0"},
      {"[optimizer]\nlr = nan\n", "run.toml:2:1: optimizer.lr: must be > 0, got nan"},
      {"[optimizer]\nmomentun = 0.9\n",
       "run.toml:2:1: unknown key optimizer.momentun; did you mean optimizer.momentum?"},
      {"[optimizer]\nlearning_rate = 0.9\n",
       "run.toml:2:1: unknown key optimizer.learning_rate; [optimizer] has name, lr, momentum, nesterov, "
       "weight_decay, beta1, beta2, epsilon"},
      {"[train]\nlr = 0.9\n", "run.toml:2:1: unknown key train.lr; did you mean optimizer.lr?"},
      {"[optimiser]\nlr = 0.9\n", "run.toml:1:2: unknown section [optimiser]; did you mean [optimizer]?"},
      {"[data.more]\na = 1\n", "run.toml:1:7: unknown section [data.more]"},
      {"optimizer = 3\n", "run.toml:1:1: optimizer: expected the section [optimizer], got 3"},
      {"[train]\nepochs = 1.5\n", "run.toml:2:1: train.epochs: expected an integer, got 1.5"},
      {"[train]\nepochs = 0\n", "run.toml:2:1: train.epochs: must be in 1 .. 1000000, got 0"},
      {"[train]\ndrop_last = 1\n", "run.toml:2:1: train.drop_last: expected true or false, got 1"},
      {"[train]\nreport = 2020-01-01\n", "run.toml:2:1: train.report: expected text, got a date or time"},
      {"[views]\nkind = \"augmx\"\n",
       "run.toml:2:1: views.kind: no such choice: \"augmx\"; did you mean \"augmix\"? Expected one of plain, "
       "augmix, augmix_only, augmax"},
      {"[views]\nseverity = 11\n", "run.toml:2:1: views.severity: must be in 1 .. 10, got 11"},
      {"[views]\ndepth = 0\n", "run.toml:2:1: views.depth: must be -1 (random) or at least 1"},
      {"[mix]\nlayers = [0, \"1\"]\n", "run.toml:2:1: mix.layers: expected a list of integers, got a list"},
      {"[mix]\nlayers = [0, -1]\n", "run.toml:2:1: mix.layers: must be in 0 .. 100, got -1"},
      {"[mix]\nlayers = [0, 0]\n", "run.toml:2:1: mix.layers: names a stage twice"},
      {"[mix]\nlayers = [3000000000]\n", "run.toml:2:1: mix.layers: must be in 0 .. 100, got 3000000000"},
      {"[objective]\nlabel_smoothing = 1\n",
       "run.toml:2:1: objective.label_smoothing: must be in [0, 1), got 1.0"},
      {"[objective]\nconsistency = \"jensen_shannon\"\n",
       "run.toml:2:1: objective.consistency: consistency needs at least 2 views, views.kind and "
       "views.count give 1"},
      {"[views]\ncount = 3\n",
       "run.toml:2:1: objective.cross_entropy_views: 3 views, but only the first enters the loss: set "
       "cross_entropy_views = \"all\" or a consistency"},
      {"[optimizer]\nmomentum = 0\n", "run.toml:2:1: optimizer.nesterov: needs optimizer.momentum > 0"},
      {"[schedule]\nname = \"multistep\"\n",
       "run.toml:2:1: schedule.milestones: multistep needs at least one epoch"},
      {"[schedule]\nmilestones = [10, 10]\n", "run.toml:2:1: schedule.milestones: must increase"},
      {"[schedule]\nfloor = 0.2\n", "run.toml:2:1: schedule.floor: is above optimizer.lr"},
      {"[schedule]\nwarmup_epochs = 201\n",
       "run.toml:2:1: schedule.warmup_epochs: is longer than train.epochs"},
      {"[data]\nname = \"cifar10\"\n",
       "run.toml:2:1: data.path: the data set cifar10 needs the folder of its files"},
      {"[data]\nname = \"circles\"\n",
       "run.toml:2:1: model.name: the model preactresnet18 does not fit the data set circles"},
  };
  for (const Mistake& mistake : table) {
    CAPTURE(mistake.text);
    CHECK(error_of(mistake.text) == mistake.message);
  }
}

TEST_CASE("config: all mistakes are reported at once, in the order of the file") {
  CHECK(error_of("[train]\nbatch = 0\n[optimizer]\nlr = true\n[data]\nname = 1\n",
                 {"train.keep=0", "nonsense=1"}) ==
        "run.toml:2:1: train.batch: must be in 1 .. 65536, got 0\n"
        "run.toml:4:1: optimizer.lr: expected a number, got true\n"
        "run.toml:6:1: data.name: expected text, got 1\n"
        "--set train.keep=0: train.keep: must be in 1 .. 1000000, got 0\n"
        "--set nonsense=1: unknown key nonsense; `noisymix config explain` lists all keys");
}

TEST_CASE("config: TOML syntax errors have line and column") {
  const std::string message = error_of("[train]\nepochs = = 3\n");
  CHECK(message.starts_with("run.toml:2:10: not valid TOML: "));
  CHECK(message.find('\n') == std::string::npos);
  CHECK(error_of("[train]\nepochs = 1\nepochs = 2\n").starts_with("run.toml:3:"));
}

TEST_CASE("config: hostile files are refused, not followed") {
  CHECK(error_of(std::string(2 << 20, '#')) == "run.toml: larger than 1 MB: not a configuration");
  CHECK(error_of("\na = " + std::string(2000, '[')) == "run.toml:2:1: line of more than 1000 characters");
  CHECK(error_of("a = " + std::string(900, '[')).starts_with("run.toml:1:"));
  std::string dots = "a";
  while (dots.size() < 900) dots += ".a";
  std::string deep = dots + " = 1\n[" + dots + "]\n";
  CHECK(error_of(deep) != "");
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "key" + std::to_string(i) + " = 1\n";
  const std::string message = error_of(many);
  CHECK(message.size() < 10000);
  CHECK(message.ends_with("run.toml: and more"));
  CHECK(error_of(std::string("title = \"\0\"", 11)).starts_with("run.toml:1:"));
}

TEST_CASE("config: --set") {
  const Config config =
      parse_config("run.toml", "[train]\nepochs = 7\n",
                   {"train.epochs=9", "optimizer.lr=1", "title=a = b", "model.name=\"wrn28-4\"",
                    "schedule.milestones=[1, 2]", "mix.enabled=true"});
  CHECK(config.train.epochs == 9);
  CHECK(config.optimizer.lr == 1.0);
  CHECK(config.title == "a = b");
  CHECK(config.model.name == "wrn28-4");
  CHECK(config.schedule.milestones == std::vector<std::int64_t>{1, 2});
  CHECK(config.mix.mix);

  CHECK(error_of("", {"train.epochs"}) ==
        "--set train.epochs: expected key=value, for example --set train.epochs=10");
  CHECK(error_of("", {"train.epochs=many"}) == "--set train.epochs=many: expected an integer");
  CHECK(error_of("", {"train.epochs=1\nx=2"}).starts_with("--set train.epochs=1"));
  CHECK(error_of("", {"optimiser.lr=1"}) ==
        "--set optimiser.lr=1: unknown key optimiser.lr; did you mean optimizer.lr?");
  CHECK(error_of("", {"views.kind=augmx"})
            .starts_with("--set views.kind=augmx: views.kind: no such choice: \"augmx\""));
  CHECK(error_of("[train]\nepochs = 0\n", {"train.epochs=3"}) != "");  // the file stays wrong
}

TEST_CASE("config: what is written reads back the same") {
  Config config;
  config.title = "quote \" backslash \\ newline \n umlaut \xC3\xA4";
  config.data.name = "cifar10";
  config.data.path = "somewhere else";
  config.model.options.width = 0.1;
  config.views.kind = "augmix";
  config.views.count = 2;
  config.mix.mix = true;
  config.mix.add = 1.0 / 3;
  config.mix.view_scale = ViewScale::none;
  config.mix.scale = NoiseScale::fixed;
  config.mix.law = MultiplicativeLaw::normal;
  config.mix.layers = {0, 2};
  config.objective.consistency = "jensen_shannon";
  config.objective.consistency_floor = 0;
  config.schedule.milestones = {100, 150};
  config.train.seed = 0x7FFFFFFFFFFFFFFF;
  const std::string text = to_toml(config);
  CHECK(to_toml(parse_config("run.toml", text, {})) == text);
  CHECK(text.find("add = 0.3333333333333333\n") != std::string::npos);
  CHECK(text.find("consistency_weight = 12.0\n") != std::string::npos);
}

TEST_CASE("config: every key of the table reads back what it writes") {
  std::set<std::string> paths;
  for (const ConfigKey& key : config_schema()) {
    CAPTURE(key.path);
    CHECK(paths.insert(key.path).second);
    CHECK(!key.meaning.empty());
    Config config;
    ConfigValue value = key.default_value();
    if (auto* flag = std::get_if<bool>(&value)) *flag = !*flag;
    if (auto* integer = std::get_if<std::int64_t>(&value)) *integer += 1;
    if (auto* number = std::get_if<double>(&value)) *number += 0.25;
    if (auto* text = std::get_if<std::string>(&value))
      *text = key.choices.empty() ? "other" : key.choices.back();
    if (auto* list = std::get_if<std::vector<std::int64_t>>(&value)) list->push_back(5);
    key.write(config, value);
    CHECK(key.read(config) == value);
  }
}

TEST_CASE("config: explain") {
  const std::string one = explain_config("mix.view_scale");
  CHECK(one.starts_with("mix.view_scale = \"index\"\n    text: index, none\n"));
  CHECK(one.find("D3") != std::string::npos);
  CHECK(explain_config("mix").find("mix.alpha = 1.0") != std::string::npos);
  CHECK(explain_config("").find("[train]") != std::string::npos);
  CHECK_THROWS_WITH_AS(explain_config("mix.alpa"), "unknown key or section mix.alpa; did you mean mix.alpha?",
                       ConfigError);
}

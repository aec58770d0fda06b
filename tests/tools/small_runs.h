// Runs that train in seconds, and how their results are compared.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tools/config.h"

namespace noisymix::testing {

/// Four epochs of six steps of noisy feature mixup on points, with Adam.
inline Config circles_run() {
  Config config;
  config.data.name = "circles";
  config.model.name = "toy-nfm";
  config.mix.mix = true;
  config.mix.add = 0.4;
  config.mix.mult = 0.2;
  config.optimizer.name = "adam";
  config.optimizer.lr = 0.02;
  config.optimizer.weight_decay = 0;
  config.schedule.name = "constant";
  config.train.epochs = 4;
  config.train.batch = 50;
  return config;
}

/// NoisyMix (AugMix views, mixing, noise, consistency, dropout, batch norm) on 32 pictures, eight steps an
/// epoch, with a small Wide-ResNet.
inline Config pictures_run() {
  Config config;
  config.data.name = "shapes";
  config.data.train_limit = 32;
  config.data.test_limit = 20;
  config.model.name = "wrn";
  config.model.options.depth = 10;
  config.model.options.width = 1;
  config.views.kind = "augmix";
  config.views.count = 2;
  config.mix.mix = true;
  config.mix.add = config.mix.mult = 0.5;
  config.mix.sparse = 0.65;
  config.objective.consistency = "jensen_shannon";
  config.optimizer.lr = 0.02;
  config.train.epochs = 4;
  config.train.batch = 4;
  return config;
}

inline std::string file_bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The lines of a run's metrics.jsonl without what depends on the clock.
inline std::vector<nlohmann::json> comparable_metrics(const std::filesystem::path& run) {
  std::ifstream in(run / "metrics.jsonl");
  std::vector<nlohmann::json> lines;
  for (std::string text; std::getline(in, text);) {
    nlohmann::json line = nlohmann::json::parse(text);
    line.erase("seconds");
    line.erase("images_per_s");
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace noisymix::testing

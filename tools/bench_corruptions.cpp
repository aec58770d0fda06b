#include "tools/bench_corruptions.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "tools/smooth_images.h"
#include "tools/work_progress.h"

namespace noisymix {
namespace {

/// Seconds per image: the median of five rounds, so that a neighbour's work does not count.
double seconds_per_image(const Corruption& corruption, const std::vector<Image>& images, std::int64_t count) {
  Scratch scratch;
  Image out;
  std::vector<double> rounds;
  for (int round = 0; round < 5; ++round) {
    const double start = steady_seconds();
    for (std::int64_t i = 0; i < count; ++i)
      corruption.apply(images[static_cast<std::size_t>(i) % images.size()], Key(0).child(round).child(i),
                       scratch, out);
    rounds.push_back((steady_seconds() - start) / static_cast<double>(count));
  }
  std::sort(rounds.begin(), rounds.end());
  return rounds[rounds.size() / 2];
}

}  // namespace

BenchCorruptionsResult bench_corruptions(const BenchCorruptionsOptions& options) {
  const auto data = make_smooth_images(std::min<std::int64_t>(options.images, 100), options.side);
  std::vector<Image> images;
  for (std::int64_t i = 0; i < data->size(); ++i) images.push_back(data->get(i).image);
  BenchCorruptionsResult result{
      std::string("noisymix ") + NOISYMIX_VERSION, options.side, options.images, {}, 0};
  for (int type = 0; type < kAllCorruptions; ++type) {
    double sum = 0;
    for (int severity = 1; severity <= kSeverities; ++severity) {
      const auto corruption =
          make_corruption(static_cast<CorruptionType>(type), severity, options.parameters);
      sum += seconds_per_image(*corruption, images, options.images);
    }
    const double mean = sum / kSeverities;
    result.microseconds.emplace_back(name_of(static_cast<CorruptionType>(type)), 1e6 * mean);
    result.all_milliseconds += 1e3 * mean;
  }
  return result;
}

std::string to_json(const BenchCorruptionsResult& r) {
  nlohmann::ordered_json json{{"peer", r.peer}, {"side", r.side}, {"images", r.images}};
  for (const auto& [type, time] : r.microseconds) json["microseconds"][type] = std::round(time * 100) / 100;
  json["all_milliseconds"] = std::round(r.all_milliseconds * 1e4) / 1e4;
  return json.dump();
}

std::string to_text(const BenchCorruptionsResult& r) {
  char line[120];
  std::snprintf(line, sizeof line, "%d x %d RGB, one thread, means over five severities\n", r.side, r.side);
  std::string text = line;
  for (const auto& [type, time] : r.microseconds) {
    std::snprintf(line, sizeof line, "%-20s %9.2f us\n", type.c_str(), time);
    text += line;
  }
  std::snprintf(line, sizeof line, "%-20s %9.4f ms per image\n", "all nineteen", r.all_milliseconds);
  return text + line;
}

}  // namespace noisymix

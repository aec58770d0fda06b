#include "tools/bench_augmix.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "augment/views.h"
#include "data/device_batches.h"
#include "data/loader.h"
#include "engine/backend.h"
#include "engine/error.h"
#include "tools/smooth_images.h"

namespace noisymix {
namespace {

constexpr int kSide = 32;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Images per second of whole epochs, for half a second and at least one.
double rate_on_device(std::int64_t images, Device device) {
  const auto views = make_augmix_views({}, {}, true, 2, {});
  DeviceBatches batches(*make_smooth_images(images, kSide), *views, {.batch = 512}, Key(0), device);
  batches.start_epoch(0);
  batches.make(0);  // loads the kernel
  backend_of(device).synchronize();
  const auto start = std::chrono::steady_clock::now();
  double seconds = 0;
  std::int64_t epochs = 0;
  while (epochs == 0 || seconds < 0.5) {
    batches.start_epoch(epochs++);
    for (std::int64_t b = 0; b < batches.batches(); ++b) batches.make(b);
    backend_of(device).synchronize();
    seconds = seconds_since(start);
  }
  return static_cast<double>(images * epochs) / seconds;
}

}  // namespace

BenchAugmixResult bench_augmix(const BenchAugmixOptions& options) {
  NM_CHECK_AS(ConfigError, options.images > 0 && options.threads >= 0,
              "--images is positive and --threads not negative");
  const Device device = parse_device(options.device);
  const std::string peer = std::string("noisymix ") + NOISYMIX_VERSION;
  if (!device.is_cpu())
    return {peer, options.images, 0, device.str(), rate_on_device(options.images, device)};
  const int hardware = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const int threads = options.threads > 0 ? options.threads : hardware;
  LoaderOptions loading;
  loading.workers = threads;
  loading.prefetch = threads + 1;
  DataLoader loader(make_smooth_images(options.images, kSide), make_augmix_views({}, {}, true, 2, {}),
                    loading, Key(0));
  const auto start = std::chrono::steady_clock::now();
  Batch batch;
  loader.start_epoch(0);
  while (loader.next(batch)) {
  }
  return {peer, options.images, threads, "cpu", static_cast<double>(options.images) / seconds_since(start)};
}

std::string to_json(const BenchAugmixResult& r) {
  nlohmann::ordered_json json{{"peer", r.peer}, {"images", r.images}};
  if (r.device == "cpu")
    json["threads"] = r.threads;
  else
    json["device"] = r.device;
  json["images_per_s"] = std::round(r.images_per_s * 10) / 10;
  return json.dump();
}

std::string to_text(const BenchAugmixResult& r) {
  const std::string where = r.device == "cpu" ? std::to_string(r.threads) + " threads" : r.device;
  char text[128];
  std::snprintf(text, sizeof text, "%lld images, each a clean and two AugMix views, %s: %.1f images/s\n",
                static_cast<long long>(r.images), where.c_str(), r.images_per_s);
  return text;
}

}  // namespace noisymix

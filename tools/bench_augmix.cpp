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

namespace noisymix {
namespace {

constexpr int kSide = 32, kBlock = 4;

/// Smooth random pictures (bilinear between random corners every four pixels): the time of some operations
/// depends on the histogram, and white noise has an unnatural one.
class SmoothImages final : public Dataset {
 public:
  explicit SmoothImages(std::int64_t count) : size_(count) {
    for (std::int64_t i = 0; i < std::min(count, kDistinct); ++i)
      images_.push_back(make(Key(0).child("smooth").child(i)));
  }
  std::int64_t size() const override { return size_; }
  Example get(std::int64_t index) const override {
    return {images_[static_cast<std::size_t>(index % kDistinct)], {}, 0};
  }
  std::vector<std::string> class_names() const override { return {"any"}; }
  std::vector<std::int64_t> sample_shape() const override { return {kSide, kSide, 3}; }
  std::string description() const override { return "smooth random images"; }

 private:
  static Image make(Key key) {
    constexpr int kCorners = kSide / kBlock + 1;
    Image image(kSide, kSide, 3);
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        for (int c = 0; c < 3; ++c) {
          const auto corner = [&](int dy, int dx) {
            const int at = ((y / kBlock + dy) * kCorners + x / kBlock + dx) * 3 + c;
            return 255 * key.uniform(static_cast<std::uint64_t>(at));
          };
          const double fx = (x % kBlock) / double{kBlock}, fy = (y % kBlock) / double{kBlock};
          const double top = corner(0, 0) * (1 - fx) + corner(0, 1) * fx;
          const double bottom = corner(1, 0) * (1 - fx) + corner(1, 1) * fx;
          image.row(y)[x * 3 + c] = static_cast<std::uint8_t>(top * (1 - fy) + bottom * fy);
        }
      }
    }
    return image;
  }
  static constexpr std::int64_t kDistinct = 1000;
  std::int64_t size_;
  std::vector<Image> images_;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Images per second of whole epochs, for half a second and at least one.
double rate_on_device(std::int64_t images, Device device) {
  const auto views = make_augmix_views({}, {}, true, 2, {});
  DeviceBatches batches(SmoothImages(images), *views, {.batch = 512}, Key(0), device);
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
  DataLoader loader(std::make_shared<SmoothImages>(options.images), make_augmix_views({}, {}, true, 2, {}),
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

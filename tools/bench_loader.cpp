#include "tools/bench_loader.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "augment/filters/jpeg_file.h"
#include "augment/resized_crop.h"
#include "data/decoded_pictures.h"
#include "data/image_resize.h"
#include "data/loader.h"
#include "data/registry.h"
#include "engine/error.h"
#include "tools/scheme.h"
#include "tools/smooth_images.h"

namespace noisymix {
namespace {

// About the means of ImageNet: 500 x 375 pixels, 110 kB.
constexpr int kHeight = 375, kWidth = 500, kQuality = 75;
constexpr std::int64_t kDifferent = 16;

/// JPEG files in memory, the same few over and over.
class MadePictures final : public EncodedPictures {
 public:
  explicit MadePictures(std::int64_t size) : size_(size) {
    const auto images = make_smooth_images(std::min(size, kDifferent), std::max(kHeight, kWidth));
    Scratch scratch;
    for (std::int64_t i = 0; i < images->size(); ++i)
      files_.push_back(jpeg_file(centre_crop(images->get(i).image, kHeight, kWidth), kQuality, scratch));
  }
  std::int64_t size() const override { return size_; }
  Bytes read(std::int64_t index) const override {
    return files_[static_cast<std::size_t>(index) % files_.size()];
  }
  std::string name(std::int64_t index) const override { return "made picture " + std::to_string(index); }
  std::int64_t label(std::int64_t) const override { return 0; }
  std::vector<std::string> class_names() const override { return {"made"}; }

 private:
  std::int64_t size_;
  std::vector<Bytes> files_;
};

std::shared_ptr<const Dataset> open(const BenchLoaderOptions& options) {
  if (!options.path.empty())
    return open_dataset({.name = options.dataset, .path = options.path, .limit = options.images});
  char text[64];
  std::snprintf(text, sizeof text, "JPEG pictures of %d x %d made here", kWidth, kHeight);
  return make_decoded_dataset(std::make_shared<MadePictures>(options.images), {.sizes = PictureSizes::any},
                              text);
}

}  // namespace

BenchLoaderResult bench_loader(const BenchLoaderOptions& options) {
  NM_CHECK_AS(ConfigError, options.images > 0 && options.threads >= 0,
              "--images is positive and --threads not negative");
  const int hardware = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const int threads = options.threads > 0 ? options.threads : hardware;
  const auto data = open(options);
  LoaderOptions loading;
  loading.batch = std::min<std::int64_t>(64, data->size());
  loading.workers = threads;
  loading.prefetch = threads + 1;
  CropFlipOptions whole{.padding = 0, .flip = false};
  DataLoader loader(data,
                    make_resized_crop_views({.side = options.side},
                                            make_crop_flip_views(whole, make_normalization("imagenet"))),
                    loading, Key(0));
  const auto start = std::chrono::steady_clock::now();
  std::int64_t done = 0;
  for (std::int64_t epoch = 0; done < options.images; ++epoch) {
    loader.start_epoch(epoch);
    for (Batch batch; done < options.images && loader.next(batch);) done += batch.size();
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return {std::string("noisymix ") + NOISYMIX_VERSION, data->description(), done, options.side, threads,
          static_cast<double>(done) / seconds};
}

std::string to_json(const BenchLoaderResult& r) {
  return nlohmann::ordered_json{
      {"peer", r.peer}, {"data", r.data},       {"images", r.images},
      {"side", r.side}, {"threads", r.threads}, {"images_per_s", std::round(r.images_per_s * 10) / 10}}
      .dump();
}

std::string to_text(const BenchLoaderResult& r) {
  char text[160];
  std::snprintf(text, sizeof text, "%lld random resized crops of %d, %d threads: %.1f images/s (",
                static_cast<long long>(r.images), r.side, r.threads, r.images_per_s);
  return text + r.data + ")\n";
}

}  // namespace noisymix

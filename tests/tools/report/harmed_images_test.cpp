#include "tools/report/harmed_images.h"

#include <doctest/doctest.h>

#include "data/memory_dataset.h"

using namespace noisymix;
using namespace noisymix::report;

namespace {

/// Bright images are class 1, dark ones class 0, the more certain the further from grey.
class Brightness : public Model {
 public:
  Tensor forward(const Tensor& x, const Context&) override {
    const std::vector<float> values = x.to_vector<float>();
    const std::size_t each = values.size() / static_cast<std::size_t>(x.dim(0));
    std::vector<float> logits;
    for (std::size_t i = 0; i < values.size(); i += each) {
      logits.push_back(-4 * values[i]);
      logits.push_back(4 * values[i]);
    }
    return Tensor::from(logits, {x.dim(0), 2});
  }
  std::vector<int> stages() const override { return {0}; }
};

/// Inverts every image whose draw says so.
class Inversion : public Corruption {
 public:
  void apply(const Image& image, Key, Scratch&, Image& out) const override {
    out = image;
    for (std::uint8_t& byte : out.pixels) byte = static_cast<std::uint8_t>(255 - byte);
  }
};

std::shared_ptr<const Dataset> greys(const std::vector<int>& bytes, std::vector<std::int64_t> labels) {
  MemoryImages images{8, 8, 1, {}, std::move(labels), {"dark", "bright"}, "greys"};
  for (const int byte : bytes) images.pixels.insert(images.pixels.end(), 64, static_cast<std::uint8_t>(byte));
  return make_memory_dataset(std::move(images));
}

LoadedRun brightness_run() {
  LoadedRun run;
  run.model = std::make_unique<Brightness>();
  run.card.class_names = {"dark", "bright"};
  run.card.sample_shape = {8, 8, 1};
  return run;
}

}  // namespace

TEST_CASE("the most confident mistakes on recognised images, each once") {
  const LoadedRun run = brightness_run();
  // Image 3 is bright but labelled dark: wrong when clean, so it does not count.
  const auto data = greys({100, 10, 200, 255, 150}, {0, 0, 1, 0, 1});
  std::vector<std::string> made;
  const CorruptionMaker make = [&](const std::string& type, int severity) {
    made.push_back(type + std::to_string(severity));
    return std::make_unique<Inversion>();
  };
  HarmedOptions options;
  options.types = {"fog", "gaussian_noise"};
  options.batch = 2;
  const std::vector<HarmedImage> harmed = collect_harmed_images(run, *data, make, options);
  CHECK(made == std::vector<std::string>{"fog3", "gaussian_noise3"});
  REQUIRE(harmed.size() == 4);
  CHECK(harmed[0].clean.pixels[0] == 10);
  CHECK(harmed[0].corrupted.pixels[0] == 245);
  CHECK(harmed[0].truth == "dark");
  CHECK(harmed[0].before.label == "dark");
  CHECK(harmed[0].after.label == "bright");
  CHECK(harmed[0].after.confidence > 0.99);
  CHECK(harmed[0].corruption == "Fog, severity 3");
  CHECK(harmed[1].clean.pixels[0] == 200);
  CHECK(harmed[2].clean.pixels[0] == 100);
  CHECK(harmed[2].corruption == "Gaussian noise, severity 3");
  CHECK(harmed[3].clean.pixels[0] == 150);
}

TEST_CASE("only the first images are searched") {
  const LoadedRun run = brightness_run();
  const auto data = greys({100, 10, 200}, {0, 0, 1});
  HarmedOptions options;
  options.types = {"fog"};
  options.searched = 1;
  const auto make = [](const std::string&, int) { return std::make_unique<Inversion>(); };
  const std::vector<HarmedImage> harmed = collect_harmed_images(run, *data, make, options);
  REQUIRE(harmed.size() == 1);
  CHECK(harmed[0].clean.pixels[0] == 100);
}

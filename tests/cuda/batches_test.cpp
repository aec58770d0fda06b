// Batches made on the GPU, against those of DataLoader.
#include <doctest/doctest.h>

#include <cmath>

#include "data/device_batches.h"
#include "data/loader.h"
#include "data/memory_dataset.h"
#include "data/toy.h"
#include "engine/cuda/runtime.h"
#include "engine/cuda/step_values.h"
#include "tests/augment/images.h"
#include "tests/check_device.h"
#include "tools/bench_augmix.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

std::shared_ptr<const Dataset> images_set(int count, int channels = 3) {
  MemoryImages content{.height = 10, .width = 8, .channels = channels};
  for (int i = 0; i < count; ++i) {
    const Image image = smooth_image(10, 8, channels, Key(1).child(i));
    content.pixels.insert(content.pixels.end(), image.pixels.begin(), image.pixels.end());
    content.labels.push_back(i % 7);
  }
  content.class_names = {"a", "b", "c", "d", "e", "f", "g"};
  return make_memory_dataset(std::move(content));
}

void check_equal(const Batch& got, const Batch& want) {
  CHECK(got.index == want.index);
  CHECK(got.views == want.views);
  CHECK(got.labels.to_vector<std::int64_t>() == want.labels.to_vector<std::int64_t>());
  REQUIRE(got.images.shape() == want.images.shape());
  const auto x = got.images.to_vector<float>(), y = want.images.to_vector<float>();
  double most = 0;
  for (std::size_t i = 0; i < x.size(); ++i) most = std::max(most, std::abs(double{x[i]} - double{y[i]}));
  CHECK(most <= 1e-6);
}

}  // namespace

TEST_CASE("cuda: batches are those of the loader in every epoch, the last one included") {
  const auto device = gpu();
  if (!device) return;
  for (const int channels : {1, 3})
    for (const bool shuffle : {true, false})
      for (const bool drop_last : {true, false}) {
        const auto dataset = images_set(17, channels);
        const std::shared_ptr<const Views> views = make_augmix_views({}, {}, true, 2, {});
        const LoaderOptions options{
            .batch = 5, .shuffle = shuffle, .drop_last = drop_last, .workers = 0, .prefetch = 2};
        REQUIRE(DeviceBatches::can_hold(*dataset, *views));
        DataLoader loader(dataset, views, options, Key(21));
        DeviceBatches batches(*dataset, *views, options, Key(21), *device);
        CHECK(batches.batches() == loader.batches());
        for (const std::int64_t epoch : {0, 3}) {
          loader.start_epoch(epoch);
          batches.start_epoch(epoch);
          Batch want;
          std::int64_t number = 0;
          for (; loader.next(want); ++number) check_equal(batches.make(number), want);
          CHECK(number == batches.batches());
          CHECK_THROWS_AS(batches.examples(number), InternalError);
        }
      }
}

TEST_CASE("cuda: a batch in bf16, and one made on the CPU from the same bytes") {
  const auto device = gpu();
  if (!device) return;
  const auto dataset = images_set(9);
  const auto views = make_crop_flip_views({}, {});
  DeviceBatches there(*dataset, *views, {.batch = 4}, Key(2), *device),
      here(*dataset, *views, {.batch = 4}, Key(2), {});
  there.start_epoch(1);
  here.start_epoch(1);
  CHECK(there.examples(2) == here.examples(2));
  check_equal(there.make(2), here.make(2));
  CHECK(same_bits(there.make(1, Dtype::bf16).images.to(Device{}), here.make(1, Dtype::bf16).images));
}

TEST_CASE("cuda: a captured batch is replayed with other examples and another epoch") {
  const auto device = gpu();
  if (!device) return;
  const auto dataset = images_set(20);
  const auto views = make_augmix_views({}, {}, true, 2, {});
  DeviceBatches batches(*dataset, *views, {.batch = 6}, Key(3), *device);
  batches.start_epoch(0);
  batches.make(0);  // allocations and attributes before the capture
  cuda::StepValues values(*device, 4096);
  Batch captured;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  {
    const cuda::StepValues::Recording recording(values);
    NM_CUDA_CHECK(cudaStreamBeginCapture(cuda::stream(), cudaStreamCaptureModeThreadLocal));
    captured = batches.make(0);
    NM_CUDA_CHECK(cudaStreamEndCapture(cuda::stream(), &graph));
  }
  NM_CUDA_CHECK(cudaGraphInstantiate(&executable, graph, 0));
  for (const std::int64_t epoch : {0, 2})
    for (const std::int64_t number : {0, 2}) {
      batches.start_epoch(epoch);
      REQUIRE(values.set("batch", batches.packed(number)));
      values.send();
      NM_CUDA_CHECK(cudaGraphLaunch(executable, cuda::stream()));
      Batch want = batches.make(number);
      want.index = captured.index;
      check_equal(captured, want);
    }
  CHECK_FALSE(values.set("batch", batches.packed(3)));  // the last batch is smaller
  NM_CUDA_CHECK(cudaGraphExecDestroy(executable));
  NM_CUDA_CHECK(cudaGraphDestroy(graph));
}

TEST_CASE("cuda: points and views without a plan stay with the loader") {
  const auto device = gpu();
  if (!device) return;
  class OtherViews final : public Views {
   public:
    int count() const override { return 1; }
    void make(const Image&, Key, const std::vector<float*>&) const override {}
  };
  const auto images = images_set(3);
  const auto plain = make_plain_views({});
  const auto points = make_circles(0, true);
  CHECK(DeviceBatches::can_hold(*images, *plain));
  CHECK_FALSE(DeviceBatches::can_hold(*points, *plain));
  CHECK_THROWS_AS(DeviceBatches(*points, *plain, {}, Key(1), *device), ConfigError);
  CHECK_FALSE(DeviceBatches::can_hold(*images, OtherViews()));
  CHECK_THROWS_AS(DeviceBatches(*images, OtherViews(), {}, Key(1), *device), ConfigError);
  CHECK_THROWS_AS(DeviceBatches(*images, *plain, {.batch = 0}, Key(1), *device), ConfigError);
}

TEST_CASE("cuda: bench augmix runs on the device") {
  const auto device = gpu();
  if (!device) return;
  const BenchAugmixResult result = bench_augmix({.images = 3, .device = device->str()});
  CHECK(result.images_per_s > 0);
  CHECK(to_text(result).find("cuda:0: ") != std::string::npos);
  CHECK(to_json(result).find("\"device\":\"cuda:0\"") != std::string::npos);
}

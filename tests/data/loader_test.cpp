// The loader gives the same bits for any number of workers, resumes in the middle, and passes exceptions on.
#include "data/loader.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>

#include "data/memory_dataset.h"
#include "data/toy.h"
#include "engine/error.h"

using namespace noisymix;

namespace {

/// Two views that depend on image, key and view number; slow for some images so that workers finish out of
/// order.
class TestViews : public Views {
 public:
  explicit TestViews(std::int64_t throw_at_byte = -1) : throw_at_byte_(throw_at_byte) {}
  int count() const override { return 2; }
  void make(const Image& image, Key key, const std::vector<float*>& outputs) const override {
    if (image.pixels[0] == throw_at_byte_) fail<DataError>("image ", int{image.pixels[0]}, " is broken");
    if (image.pixels[0] % 7 == 0) std::this_thread::sleep_for(std::chrono::microseconds(300));
    for (std::size_t v = 0; v < outputs.size(); ++v)
      for (std::size_t i = 0; i < image.pixels.size(); ++i)
        outputs[v][i] = static_cast<float>(image.pixels[i] + 1000 * v) +
                        static_cast<float>(key.child(static_cast<std::int64_t>(v)).uniform(i));
    ++made;
  }
  mutable std::atomic<int> made{0};

 private:
  std::int64_t throw_at_byte_;
};

/// `count` 2x3 grey images; the first byte of image i is i.
std::shared_ptr<const Dataset> small_images(int count) {
  MemoryImages content{.height = 2, .width = 3, .channels = 1};
  for (int i = 0; i < count; ++i) {
    for (int p = 0; p < 6; ++p) content.pixels.push_back(static_cast<std::uint8_t>(i + 10 * p));
    content.labels.push_back(i % 3);
  }
  content.class_names = {"a", "b", "c"};
  return make_memory_dataset(std::move(content));
}

LoaderOptions options(std::int64_t batch, int workers, int prefetch = 2) {
  return {.batch = batch, .shuffle = true, .drop_last = false, .workers = workers, .prefetch = prefetch};
}

std::vector<Batch> rest_of_epoch(DataLoader& loader) {
  std::vector<Batch> batches;
  for (Batch batch; loader.next(batch);) batches.push_back(batch);
  return batches;
}

bool same_bits(const Batch& a, const Batch& b) {
  return a.index == b.index && a.views == b.views && a.images.shape() == b.images.shape() &&
         a.labels.to_vector<std::int64_t>() == b.labels.to_vector<std::int64_t>() &&
         std::memcmp(a.images.raw(), b.images.raw(), a.images.bytes()) == 0;
}

}  // namespace

TEST_CASE("loader: batches are equal bit by bit for any number of workers and prefetch") {
  const auto dataset = small_images(103);
  const auto views = std::make_shared<TestViews>();
  DataLoader reference(dataset, views, options(20, 0), Key(7));
  for (const auto& pair : {std::pair{1, 1}, {1, 3}, {4, 1}, {4, 2}, {9, 5}}) {
    const int workers = pair.first, prefetch = pair.second;  // CAPTURE takes no structured binding
    CAPTURE(workers);
    DataLoader loader(dataset, views, options(20, workers, prefetch), Key(7));
    for (int epoch = 0; epoch < 3; ++epoch) {
      reference.start_epoch(epoch);
      loader.start_epoch(epoch);
      const auto expected = rest_of_epoch(reference), got = rest_of_epoch(loader);
      REQUIRE(expected.size() == 6);
      REQUIRE(got.size() == 6);
      for (std::size_t i = 0; i < 6; ++i) CHECK(same_bits(got[i], expected[i]));
    }
  }
}

TEST_CASE("loader: layout of a batch is view-major, and the views use the documented key") {
  const auto dataset = small_images(10);
  const auto views = std::make_shared<TestViews>();
  LoaderOptions plain = options(4, 2);
  plain.shuffle = false;
  DataLoader loader(dataset, views, plain, Key(3));
  CHECK(loader.batches() == 3);
  loader.start_epoch(5);
  const auto batches = rest_of_epoch(loader);
  REQUIRE(batches.size() == 3);
  CHECK(batches[2].size() == 2);
  CHECK(batches[0].images.shape() == Shape({8, 2, 3, 1}));
  const auto values = batches[1].images.to_vector<float>();
  for (std::int64_t v = 0; v < 2; ++v)
    for (std::int64_t row = 0; row < 4; ++row) {
      const std::int64_t example = 4 + row;
      const Key key = Key(3).child("views").child(5).child(example).child(v);
      CHECK(values[static_cast<std::size_t>((v * 4 + row) * 6)] ==
            static_cast<float>(example + 1000 * v) + static_cast<float>(key.uniform(0)));
    }
  CHECK(batches[1].labels.to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 2, 0, 1});
}

TEST_CASE("loader: every example appears once per epoch, in another order each epoch") {
  DataLoader loader(small_images(50), std::make_shared<TestViews>(), options(8, 2), Key(1));
  std::vector<std::vector<int>> orders;
  for (int epoch = 0; epoch < 2; ++epoch) {
    loader.start_epoch(epoch);
    std::vector<int> order;
    for (const Batch& batch : rest_of_epoch(loader)) {
      const auto values = batch.images.to_vector<float>();
      for (std::int64_t row = 0; row < batch.size(); ++row)
        order.push_back(static_cast<int>(values[static_cast<std::size_t>(row * 6)]));
    }
    auto sorted = order;
    std::sort(sorted.begin(), sorted.end());
    for (int i = 0; i < 50; ++i) CHECK(sorted[static_cast<std::size_t>(i)] == i);
    orders.push_back(order);
  }
  CHECK(orders[0] != orders[1]);
}

TEST_CASE("loader: an epoch can begin at any batch and be left at any batch") {
  const auto dataset = small_images(64);
  const auto views = std::make_shared<TestViews>();
  DataLoader reference(dataset, views, options(10, 0), Key(2));
  reference.start_epoch(4);
  const auto expected = rest_of_epoch(reference);
  for (const int workers : {0, 1, 4}) {
    CAPTURE(workers);
    DataLoader loader(dataset, views, options(10, workers), Key(2));
    for (const std::int64_t first : {3, 6, 0, 7}) {
      loader.start_epoch(9);  // abandoned with work in progress
      Batch batch;
      CHECK(loader.next(batch));
      loader.start_epoch(4, first);
      const auto got = rest_of_epoch(loader);
      REQUIRE(got.size() == expected.size() - static_cast<std::size_t>(first));
      for (std::size_t i = 0; i < got.size(); ++i)
        CHECK(same_bits(got[i], expected[i + static_cast<std::size_t>(first)]));
      CHECK_FALSE(loader.next(batch));
    }
  }
}

TEST_CASE("loader: drop_last leaves the short batch out") {
  LoaderOptions dropping = options(10, 1);
  dropping.drop_last = true;
  DataLoader loader(small_images(25), std::make_shared<TestViews>(), dropping, Key(0));
  CHECK(loader.batches() == 2);
  loader.start_epoch(0);
  for (const Batch& batch : rest_of_epoch(loader)) CHECK(batch.size() == 10);
}

TEST_CASE("loader: a set smaller than a batch, and an empty one") {
  for (const int workers : {0, 2}) {
    DataLoader small(small_images(3), std::make_shared<TestViews>(), options(10, workers), Key(0));
    small.start_epoch(0);
    CHECK(rest_of_epoch(small).size() == 1);
    DataLoader none(small_images(0), std::make_shared<TestViews>(), options(10, workers), Key(0));
    none.start_epoch(0);
    CHECK(none.batches() == 0);
    CHECK(rest_of_epoch(none).empty());
  }
}

TEST_CASE("loader: an exception of a worker is thrown by next() at its batch, and again until a new epoch") {
  LoaderOptions in_order = options(10, 0);
  in_order.shuffle = false;
  for (const int workers : {0, 1, 4}) {
    CAPTURE(workers);
    in_order.workers = workers;
    DataLoader loader(small_images(60), std::make_shared<TestViews>(35), in_order, Key(0));
    for (int round = 0; round < 2; ++round) {
      loader.start_epoch(0);
      Batch batch;
      for (int i = 0; i < 3; ++i) CHECK(loader.next(batch));
      CHECK_THROWS_WITH_AS(loader.next(batch), "image 35 is broken", DataError);
      CHECK_THROWS_WITH_AS(loader.next(batch), "image 35 is broken", DataError);
    }
  }
}

TEST_CASE("loader: works no further ahead than prefetch, and ends while workers are busy") {
  const auto views = std::make_shared<TestViews>();
  {
    DataLoader loader(small_images(200), views, options(10, 3, 2), Key(0));
    loader.start_epoch(0);
    Batch batch;
    CHECK(loader.next(batch));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    CHECK(views->made <= 30);
  }
  { DataLoader never_started(small_images(10), views, options(10, 3), Key(0)); }
}

TEST_CASE("loader: points are copied into every view") {
  const auto circles = make_circles(0, true);
  LoaderOptions in_order = options(7, 2);
  in_order.shuffle = false;
  DataLoader loader(circles, std::make_shared<TestViews>(), in_order, Key(0));
  loader.start_epoch(0);
  Batch batch;
  REQUIRE(loader.next(batch));
  CHECK(batch.images.shape() == Shape({14, 2}));
  const auto values = batch.images.to_vector<float>();
  for (std::size_t row = 0; row < 14; ++row) {
    const Example example = circles->get(static_cast<std::int64_t>(row % 7));
    CHECK(values[row * 2] == example.features[0]);
    CHECK(values[row * 2 + 1] == example.features[1]);
  }
}

TEST_CASE("loader: refuses bad options and misuse") {
  const auto views = std::make_shared<TestViews>();
  CHECK_THROWS_AS(DataLoader(small_images(3), views, options(0, 1), Key(0)), ConfigError);
  CHECK_THROWS_AS(DataLoader(small_images(3), views, options(1, -1), Key(0)), ConfigError);
  CHECK_THROWS_AS(DataLoader(small_images(3), views, options(1, 1, 0), Key(0)), ConfigError);
  DataLoader loader(small_images(3), views, options(1, 1), Key(0));
  Batch batch;
  CHECK_THROWS_AS(loader.next(batch), InternalError);
  CHECK_THROWS_AS(loader.start_epoch(0, 4), ConfigError);
}

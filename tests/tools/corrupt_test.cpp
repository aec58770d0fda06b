// Corrupted sets on disk: layout, reproducibility, resumption.
#include "tools/corrupt.h"

#include <doctest/doctest.h>

#include "data/npy.h"
#include "data/registry.h"
#include "engine/cpu/parallel.h"
#include "engine/error.h"
#include "tests/scratch_folder.h"
#include "tests/tools/small_runs.h"

using namespace noisymix;

namespace {

std::shared_ptr<const Dataset> shapes(std::int64_t count) {
  DatasetOptions options;
  options.train = false;
  options.limit = count;
  return open_dataset(options);
}

CorruptOptions few() {
  CorruptOptions options;
  options.corruptions = {CorruptionType::gaussian_noise, CorruptionType::fog};
  options.severities = {1, 4};
  return options;
}

}  // namespace

TEST_CASE("corrupt: the published layout, for any number of threads") {
  const testing::ScratchFolder folder;
  const auto data = shapes(5);
  cpu::set_threads(1);
  REQUIRE(write_corrupted_set(*data, few(), folder / "one", {}));
  cpu::set_threads(2);
  REQUIRE(write_corrupted_set(*data, few(), folder / "two", {}));
  cpu::set_threads(0);
  for (const char* name : {"gaussian_noise.npy", "fog.npy", "labels.npy", "corrupt.json"})
    CHECK(testing::file_bytes(folder / "one" / name) == testing::file_bytes(folder / "two" / name));

  const NpyArray fog = read_npy(folder / "one" / "fog.npy");
  CHECK(fog.file_type == "uint8");
  CHECK(fog.values.shape() == Shape{10, 32, 32, 3});
  const NpyArray labels = read_npy(folder / "one" / "labels.npy");
  REQUIRE(labels.values.shape() == Shape{10});
  for (std::int64_t i = 0; i < 10; ++i) CHECK(labels.values.data<std::int64_t>()[i] == data->get(i % 5).label);

  Scratch scratch;
  Image out;
  const auto corruption = make_corruption(CorruptionType::fog, 4, ParameterSet::cifar);
  corruption->apply(data->get(2).image, corruption_key(0, CorruptionType::fog, 4, 2), scratch, out);
  const std::uint8_t* stored = fog.values.data<std::uint8_t>() + 7 * 3072;
  CHECK(std::equal(out.pixels.begin(), out.pixels.end(), stored));
}

TEST_CASE("corrupt: sequences, frame by frame") {
  const testing::ScratchFolder folder;
  CorruptOptions options;
  options.sequences = {SequenceType::translate};
  REQUIRE(write_corrupted_set(*shapes(3), options, folder / "p", {}));
  CHECK(read_npy(folder / "p" / "translate.npy").values.shape() == Shape{3, 16, 32, 32, 3});
  CHECK(read_npy(folder / "p" / "labels.npy").values.shape() == Shape{3});
}

TEST_CASE("corrupt: stopped and continued gives the same files") {
  const testing::ScratchFolder folder;
  const auto data = shapes(4);
  REQUIRE(write_corrupted_set(*data, few(), folder / "whole", {}));
  int asked = 0;
  CorruptObserver observer;
  observer.should_stop = [&] { return ++asked == 3; };  // in the middle of the second file
  CHECK_FALSE(write_corrupted_set(*data, few(), folder / "parts", observer));
  CHECK(std::filesystem::exists(folder / "parts" / "gaussian_noise.npy"));
  CHECK_FALSE(std::filesystem::exists(folder / "parts" / "fog.npy"));
  double total = 0;
  observer = {};
  observer.progress = [&](const CorruptProgress& at) { total = static_cast<double>(at.total); };
  REQUIRE(write_corrupted_set(*data, few(), folder / "parts", observer));
  CHECK(total == 8);  // the first file was not made again
  CHECK(testing::file_bytes(folder / "parts" / "fog.npy") == testing::file_bytes(folder / "whole" / "fog.npy"));
}

TEST_CASE("corrupt: a folder keeps the set it was made for") {
  const testing::ScratchFolder folder;
  CorruptOptions options = few();
  options.corruptions.resize(1);
  REQUIRE(write_corrupted_set(*shapes(2), options, folder / "c", {}));
  options.seed = 1;
  CHECK_THROWS_WITH_AS(write_corrupted_set(*shapes(2), options, folder / "c", {}), doctest::Contains("seed is 0 there, 1 now"),
                       ConfigError);
  options.seed = 0;
  CHECK_THROWS_WITH_AS(write_corrupted_set(*shapes(3), options, folder / "c", {}), doctest::Contains("data"), ConfigError);
  DatasetOptions points;
  points.name = "circles";
  CHECK_THROWS_WITH_AS(write_corrupted_set(*open_dataset(points), options, folder / "p", {}),
                       doctest::Contains("need images"), ConfigError);
}

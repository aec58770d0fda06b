#include "engine/cpu/parallel.h"

#include <doctest/doctest.h>

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "engine/error.h"

using namespace noisymix;
using namespace noisymix::cpu;

namespace {

/// Restores the default thread count.
struct Threads {
  explicit Threads(int count) { set_threads(count); }
  ~Threads() { set_threads(0); }
};

/// How often each index of [0, n) was visited.
std::vector<int> visits(std::int64_t n, std::int64_t grain) {
  std::vector<int> counts(static_cast<std::size_t>(n));
  parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) ++counts[static_cast<std::size_t>(i)];
  });
  return counts;
}

}  // namespace

TEST_CASE("every index is visited once, for all sizes, grains and thread counts") {
  for (const int count : {1, 2, 5}) {
    const Threads scope(count);
    CHECK(threads() == count);
    for (const std::int64_t n : {0, 1, 2, 7, 64, 1000})
      for (const std::int64_t grain : {-1, 0, 1, 3, 64, 5000})
        CHECK(visits(n, grain) == std::vector<int>(static_cast<std::size_t>(n), 1));
  }
}

TEST_CASE("a negative size means no work") {
  bool called = false;
  parallel_for(-3, 1, [&](std::int64_t, std::int64_t) { called = true; });
  CHECK_FALSE(called);
}

TEST_CASE("chunks do not depend on the thread count") {
  const auto chunks = [](int count) {
    const Threads scope(count);
    std::vector<std::int64_t> ends(10, -1);
    parallel_for(95, 10, [&](std::int64_t begin, std::int64_t end) {
      ends[static_cast<std::size_t>(begin / 10)] = end;
    });
    return ends;
  };
  const std::vector<std::int64_t> want{10, 20, 30, 40, 50, 60, 70, 80, 90, 95};
  CHECK(chunks(1) == want);
  CHECK(chunks(4) == want);
  CHECK(chunk_count(95, 10) == 10);
  CHECK(chunk_count(90, 10) == 9);
  CHECK(chunk_count(0, 10) == 0);
}

TEST_CASE("an exception reaches the caller and the pool works on") {
  for (const int count : {1, 4}) {
    const Threads scope(count);
    for (int round = 0; round < 20; ++round) {
      CHECK_THROWS_WITH_AS(parallel_for(100, 1,
                                        [](std::int64_t begin, std::int64_t) {
                                          if (begin == 37) throw std::runtime_error("chunk 37");
                                        }),
                           "chunk 37", std::runtime_error);
      CHECK(visits(100, 1) == std::vector<int>(100, 1));
    }
  }
}

TEST_CASE("after an exception no further chunk is started by the same thread") {
  const Threads scope(1);
  int calls = 0;
  CHECK_THROWS_AS(parallel_for(100, 1,
                               [&](std::int64_t, std::int64_t) {
                                 ++calls;
                                 throw std::runtime_error("stop");
                               }),
                  std::runtime_error);
  CHECK(calls == 1);
}

TEST_CASE("nested loops run in the thread of the outer chunk") {
  const Threads scope(4);
  std::vector<int> counts(64 * 64);
  std::atomic<int> strangers{0};
  parallel_for(64, 1, [&](std::int64_t row, std::int64_t) {
    const auto self = std::this_thread::get_id();
    parallel_for(64, 1, [&](std::int64_t column, std::int64_t) {
      if (std::this_thread::get_id() != self) ++strangers;
      ++counts[static_cast<std::size_t>(row * 64 + column)];
    });
  });
  CHECK(strangers == 0);
  CHECK(counts == std::vector<int>(64 * 64, 1));
}

TEST_CASE("several callers at once, with the thread count changing meanwhile") {
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> callers;
  for (int t = 0; t < 3; ++t)
    callers.emplace_back([&] {
      for (int round = 0; round < 200; ++round)
        if (visits(97, 5) != std::vector<int>(97, 1)) ++wrong;
    });
  std::thread changer([&] {
    for (int i = 0; !done; ++i) set_threads(1 + i % 4);
  });
  for (auto& caller : callers) caller.join();
  done = true;
  changer.join();
  set_threads(0);
  CHECK(wrong == 0);
}

TEST_CASE("the thread count is checked") {
  CHECK_THROWS_WITH_AS(set_threads(-1), "[threads] expected 0 (all) to 4096, got -1", ShapeError);
  CHECK_THROWS_AS(set_threads(5000), ShapeError);
  CHECK(threads() >= 1);
}

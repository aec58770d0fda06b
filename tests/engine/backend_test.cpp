#include "engine/backend.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "engine/cpu/allocator.h"
#include "engine/tensor.h"
#include "tests/check_op.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("blocks are aligned and counted") {
  cpu::CpuBackend backend;
  for (const std::size_t bytes : {0u, 1u, 64u, 65u, 1024u, 1025u, 5000u, 1'000'003u}) {
    void* memory = backend.allocate(bytes);
    CHECK(reinterpret_cast<std::uintptr_t>(memory) % 64 == 0);
    CHECK(backend.memory().in_use >= static_cast<std::int64_t>(bytes));
    backend.release(memory, bytes);
    CHECK(backend.memory().in_use == 0);
  }
}

TEST_CASE("a freed block serves the next request of its size class") {
  cpu::CpuBackend backend;
  void* first = backend.allocate(100'000);
  backend.release(first, 100'000);
  void* second = backend.allocate(100'001);
  CHECK(first == second);
  CHECK(backend.memory().system_calls == 1);
  void* third = backend.allocate(100'000);
  CHECK(third != second);
  CHECK(backend.memory().system_calls == 2);
  backend.release(second, 100'001);
  backend.release(third, 100'000);
}

TEST_CASE("large blocks share a region: the rest of a piece is used, and neighbours join again") {
  cpu::CpuBackend backend;
  constexpr std::size_t kMiB = 1 << 20;
  void* whole = backend.allocate(24 * kMiB);
  backend.release(whole, 24 * kMiB);
  void* a = backend.allocate(8 * kMiB);
  void* b = backend.allocate(10 * kMiB);
  void* c = backend.allocate(6 * kMiB);
  CHECK(backend.memory().system_calls == 1);
  CHECK(backend.memory().reserved == static_cast<std::int64_t>(24 * kMiB));
  CHECK(a == whole);
  backend.release(a, 8 * kMiB);
  backend.release(c, 6 * kMiB);
  void* d = backend.allocate(5 * kMiB);  // the smallest piece that holds it
  CHECK(d == c);
  backend.release(d, 5 * kMiB);
  backend.release(b, 10 * kMiB);
  CHECK(backend.allocate(24 * kMiB) == whole);
  backend.release(whole, 24 * kMiB);
  backend.trim();
  CHECK(backend.memory().reserved == 0);
}

TEST_CASE("random large requests never overlap") {
  cpu::CpuBackend backend;
  struct Held {
    unsigned char* memory;
    std::size_t bytes;
    unsigned char mark;
  };
  std::vector<Held> held;
  for (std::uint64_t i = 0; i < 600; ++i) {
    const auto draw = Key(3).block(i);
    if (held.size() > 12 || (!held.empty() && draw[0] % 3 == 0)) {
      const std::size_t at = draw[1] % held.size();
      const Held h = held[at];
      CHECK(h.memory[0] == h.mark);
      CHECK(h.memory[h.bytes / 2] == h.mark);
      CHECK(h.memory[h.bytes - 1] == h.mark);
      backend.release(h.memory, h.bytes);
      held.erase(held.begin() + static_cast<std::ptrdiff_t>(at));
    }
    const std::size_t bytes = 100'000 + draw[2] % 6'000'000;
    auto* memory = static_cast<unsigned char*>(backend.allocate(bytes));
    const auto mark = static_cast<unsigned char>(i);
    memory[0] = memory[bytes / 2] = memory[bytes - 1] = mark;
    held.push_back({memory, bytes, mark});
  }
  for (const Held& h : held) backend.release(h.memory, h.bytes);
  CHECK(backend.memory().in_use == 0);
  backend.trim();
  CHECK(backend.memory().reserved == 0);
}

TEST_CASE("waste by rounding stays below an eighth for large blocks") {
  cpu::CpuBackend backend;
  for (std::size_t bytes = 1025; bytes < 10'000'000; bytes = bytes * 5 / 4 + 1) {
    void* memory = backend.allocate(bytes);
    CHECK(static_cast<double>(backend.memory().in_use) <= 1.125 * static_cast<double>(bytes));
    backend.release(memory, bytes);
  }
}

TEST_CASE("peak, trim and reserved") {
  cpu::CpuBackend backend;
  void* memory = backend.allocate(1 << 20);
  backend.release(memory, 1 << 20);
  CHECK(backend.memory().peak_in_use == 1 << 20);
  CHECK(backend.memory().reserved == 1 << 20);
  backend.reset_peak();
  CHECK(backend.memory().peak_in_use == 0);
  backend.trim();
  CHECK(backend.memory().reserved == 0);
}

TEST_CASE("a second identical round of work asks the system for nothing") {
  const auto round = [] {
    Tensor w = random_normal({40, 50}, Key(1)).set_requires_grad();
    backward(sum(mul(exp(w), w)));
    return w.grad();
  };
  round();
  const std::int64_t before = backend_of(Device{}).memory().system_calls;
  for (int i = 0; i < 5; ++i) round();
  CHECK(backend_of(Device{}).memory().system_calls == before);
}

TEST_CASE("threads may allocate and release at the same time") {
  cpu::CpuBackend backend;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (std::size_t i = 1; i < 500; ++i) {
        auto* memory = static_cast<unsigned char*>(backend.allocate(i * 10));
        memory[0] = memory[i * 10 - 1] = static_cast<unsigned char>(t);
        std::this_thread::yield();
        if (memory[0] != t) std::abort();
        backend.release(memory, i * 10);
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(backend.memory().in_use == 0);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // sanitizers end the program instead
TEST_CASE("running out of memory is an error with advice") {
  cpu::CpuBackend backend;
  const std::size_t bytes = std::size_t{1} << 60;
  CHECK_THROWS_WITH_AS(
      backend.allocate(bytes),
      "[cpu] out of memory: asked for 1152921504606846976 bytes with 0 in use; use a smaller batch",
      DeviceError);
  CHECK(backend.memory().in_use == 0);
}
#endif

TEST_CASE("devices are parsed, and absent ones named with the reason") {
  CHECK(parse_device("cpu") == Device{});
  CHECK(available_devices().front() == Device{});
#ifdef NOISYMIX_CUDA_EMULATED
  CHECK(parse_device("auto") == Device{});  // an emulated GPU is for tests: slower than the CPU it runs on
#else
  CHECK(parse_device("auto") == available_devices()[available_devices().size() > 1 ? 1 : 0]);
#endif
  CHECK_THROWS_WITH_AS(parse_device("tpu"),
                       "[device] unknown device 'tpu', expected auto, cpu, cuda or cuda:N", DeviceError);
  CHECK((Device{DeviceKind::cuda, 1}.str() == "cuda:1"));
  CHECK(backend_of(Device{}).describe().find("CPU") == 0);
  if (available_devices().size() == 1) {
    const auto why = [](const std::function<void()>& body) -> std::string {
      try {
        body();
      } catch (const DeviceError& error) {
        return error.what();
      }
      return "no error";
    };
    const std::string prefix = "[device] cuda:0 is not available: ";
    CHECK(why([] { backend_of({DeviceKind::cuda, 0}); }).rfind(prefix, 0) == 0);
    CHECK(why([] { parse_device("cuda:0"); }).rfind(prefix, 0) == 0);
    CHECK(why([] { parse_device("cuda:0"); }).find("; use --device cpu") != std::string::npos);
  }
}

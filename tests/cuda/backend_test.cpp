#include "engine/cuda/backend.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/check_device.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("cuda: tensors travel to the device and back") {
  const auto device = gpu();
  if (!device) return;
  const Tensor x = random_normal({3, 5, 7}, Key(1));
  const Tensor there = x.to(*device);
  CHECK(there.device() == *device);
  CHECK(same_bits(there.to(Device{}), x));
  CHECK(same_bits(there.clone().to(Device{}), x));
  CHECK(there.to_vector<float>() == x.to_vector<float>());
  Tensor target = Tensor::zeros(x.shape(), Dtype::f32, *device);
  target.copy_from(x);
  CHECK(same_bits(target.to(Device{}), x));
  Tensor host = Tensor::zeros(x.shape());
  host.copy_from(there);
  CHECK(same_bits(host, x));
}

TEST_CASE("cuda: conversion between all dtypes, and constants") {
  const auto device = gpu();
  if (!device) return;
  const Dtype dtypes[] = {Dtype::f32, Dtype::bf16, Dtype::f64, Dtype::i64, Dtype::i32, Dtype::u8};
  for (const std::int64_t count : {0, 1, 7, 64, 1000})
    for (const Dtype from : dtypes)
      for (const Dtype to : dtypes) {
        const Tensor x = add(abs(random_normal({count}, Key(2), 0, 50)), 1).to(from);
        CHECK(same_bits(x.to(*device).to(to).to(Device{}), x.to(to)));
        CHECK(same_bits(Tensor::full({count}, 3, to, *device).to(Device{}), Tensor::full({count}, 3, to)));
      }
}

TEST_CASE("cuda: gradients add up and finiteness is seen on the device") {
  const auto device = gpu();
  if (!device) return;
  for (const Dtype dtype : {Dtype::f32, Dtype::f64, Dtype::bf16})
    for (const std::int64_t count : {1, 8, 1001}) {
      Tensor x = random_normal({count}, Key(3)).to(dtype).to(*device);
      CHECK(all_finite(x));
      x.set_requires_grad();
      const Tensor g = random_normal({count}, Key(4)).to(dtype);
      backward(x.reshape({count, 1}), g.reshape({count, 1}).to(*device));
      backward(x.reshape({1, count}), g.reshape({1, count}).to(*device));
      CHECK(same_bits(x.grad().to(Device{}), mul(g, 2)));
      std::vector<double> values(static_cast<std::size_t>(count), 1.0);
      for (const double bad : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
        values.back() = bad;
        CHECK_FALSE(all_finite(Tensor::from(values, {count}).to(dtype).to(*device)));
      }
    }
}

TEST_CASE("cuda: freed memory serves the next request, and a pool keeps its own") {
  const auto device = gpu();
  if (!device) return;
  Backend& backend = backend_of(*device);
  void* first = backend.allocate(100'000);
  backend.release(first, 100'000);
  const std::int64_t calls = backend.memory().system_calls;
  void* second = backend.allocate(99'000);
  CHECK(second == first);
  CHECK(backend.memory().system_calls == calls);
  {
    cuda::MemoryPool pool(device->index);
    void* inside = nullptr;
    {
      const cuda::MemoryPool::Scope scope(pool);
      inside = backend.allocate(1000);
    }
    void* outside = backend.allocate(1000);
    CHECK(inside != outside);
    backend.release(inside, 1000);
    {
      const cuda::MemoryPool::Scope scope(pool);
      CHECK(backend.allocate(1000) == inside);
    }
    backend.release(inside, 1000);
    backend.release(outside, 1000);
  }
  backend.release(second, 99'000);
}

TEST_CASE("cuda: random requests never overlap") {
  const auto device = gpu();
  if (!device) return;
  struct Held {
    Tensor tensor;
    double mark;
  };
  std::vector<Held> held;
  for (std::uint64_t i = 0; i < 300; ++i) {
    const auto draw = Key(3).block(i);
    if (held.size() > 12 || (!held.empty() && draw[0] % 3 == 0)) {
      const std::size_t at = draw[1] % held.size();
      const auto values = held[at].tensor.to_vector<std::uint8_t>();
      CHECK(values.front() == held[at].mark);
      CHECK(values[values.size() / 2] == held[at].mark);
      CHECK(values.back() == held[at].mark);
      held.erase(held.begin() + static_cast<std::ptrdiff_t>(at));
    }
    const auto bytes = static_cast<std::int64_t>(1 + draw[2] % (draw[3] % 2 ? 3000u : 3'000'000u));
    const double mark = static_cast<double>(i % 251);
    held.push_back({Tensor::full({bytes}, mark, Dtype::u8, *device), mark});
  }
}

TEST_CASE("cuda: running out of memory says how much is missing") {
  const auto device = gpu();
  if (!device) return;
  try {
    Tensor::empty({std::int64_t{1} << 50}, Dtype::u8, *device);
    FAIL("no error");
  } catch (const OutOfMemoryError& error) {
    const std::string text = error.what();
    CHECK(text.find("out of memory: need 1048576.00 GiB more, have ") != std::string::npos);
    CHECK(text.find("use a smaller batch") != std::string::npos);
  }
}

TEST_CASE("cuda: devices are parsed, and wrong ones refused with what there is") {
  if (!gpu()) return;
  CHECK(parse_device("cuda") == Device{DeviceKind::cuda, 0});
  CHECK(parse_device("cuda:0") == Device{DeviceKind::cuda, 0});
  CHECK_THROWS_WITH_AS(parse_device("cuda:"),
                       "[device] unknown device 'cuda:', expected auto, cpu, cuda or cuda:N", DeviceError);
  CHECK_THROWS_AS(parse_device("cuda:99"), DeviceError);
}

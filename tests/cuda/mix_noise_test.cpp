#include "engine/ops/mix_noise.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/check_device.h"
#include "tests/cuda/replay.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

std::vector<ViewNoise> noise_of(int views, double add, double mult, double sparse, MultiplicativeLaw law,
                                std::uint64_t seed = 1) {
  std::vector<ViewNoise> noise;
  for (int v = 0; v < views; ++v) noise.push_back({add * (v + 1), mult, sparse, law, Key(seed).child(v)});
  return noise;
}

OpFunction op_of(double lambda, const std::vector<std::int64_t>& partners,
                 const std::vector<ViewNoise>& noise) {
  return [=](const std::vector<Tensor>& in) { return mix_noise(in[0], lambda, partners, noise); };
}

const DeviceTolerance kTolerance{1e-6, 3e-6, 1e-2};  // normals are drawn in f32, also for f64

}  // namespace

TEST_CASE("cuda mix_noise: every mode, for rows with and without packs") {
  const auto partners = permutation(Key(3), 6);
  for (const std::int64_t row : {1, 5, 6, 8, 48, 1030})
    for (const double lambda : {0.0, 0.3, 1.0})
      for (const double sparse : {0.0, 0.4, 1.0})
        for (const auto law : {MultiplicativeLaw::uniform, MultiplicativeLaw::normal})
          for (const auto& levels : {std::pair{0.0, 0.0}, {0.5, 0.0}, {0.0, 0.7}, {0.5, 0.7}}) {
            const double add = levels.first,
                         mult = levels.second;  // clang 14 captures no structured bindings
            INFO("row " << row << ", lambda " << lambda << ", sparse " << sparse << ", add " << add
                        << ", mult " << mult << ", normal " << (law == MultiplicativeLaw::normal));
            check_devices_agree("mix_noise",
                                op_of(lambda, lambda == 1 ? std::vector<std::int64_t>{} : partners,
                                      noise_of(2, add, mult, sparse, law)),
                                {random_normal({12, row}, Key(4))}, kTolerance);
          }
}

TEST_CASE("cuda mix_noise: feature maps, one view and three, lambda 1 beside partners") {
  const Tensor x = random_normal({9, 5, 4, 6}, Key(5));
  for (const int views : {1, 3})
    for (const double lambda : {0.0, 0.6, 1.0})
      check_devices_agree("mix_noise",
                          op_of(lambda, permutation(Key(6), 9 / views),
                                noise_of(views, 0.3, 0.4, 0.1, MultiplicativeLaw::uniform)),
                          {x}, kTolerance);
  check_devices_agree("mix_noise",
                      op_of(1, permutation(Key(6), 9), noise_of(1, 0, 0, 0, MultiplicativeLaw::uniform)), {x},
                      kTolerance);
}

TEST_CASE("cuda mix_noise: an odd number of elements, no elements, elements that are not aligned") {
  const auto noise = noise_of(1, 0.5, 0.5, 0.3, MultiplicativeLaw::normal);
  check_devices_agree("mix_noise", op_of(0.2, permutation(Key(7), 3), noise), {random_normal({3, 7}, Key(8))},
                      kTolerance);
  check_devices_agree("mix_noise", op_of(0.2, {}, noise), {Tensor::zeros({0, 7})}, kTolerance);
  check_devices_agree(
      "mix_noise",
      [&](const std::vector<Tensor>& in) {
        return mix_noise(in[0].rows(1, 17).reshape({2, 8}), 0.2, {1, 0}, noise);
      },
      {random_normal({18}, Key(9))}, kTolerance);
}

TEST_CASE("cuda mix_noise: uniform factors and all masks are those of the CPU to the bit") {
  const auto device = gpu();
  if (!device) return;
  const Tensor x = Tensor::ones({4, 1000});
  for (const double sparse : {0.0, 0.37, 0.9}) {
    const auto noise = noise_of(1, 0, 0.8, sparse, MultiplicativeLaw::uniform);
    CHECK(same_bits(mix_noise(x.to(*device), 1, {}, noise).to(Device{}), mix_noise(x, 1, {}, noise)));
  }
}

TEST_CASE("cuda mix_noise: a captured call serves other numbers, gradient included") {
  const auto device = gpu();
  if (!device) return;
  const Tensor x = random_normal({12, 16}, Key(10)), g = random_normal({12, 16}, Key(11));
  const auto run = [&](Device where, double lambda, std::uint64_t seed, Tensor& leaf, MultiplicativeLaw law) {
    const Tensor y = mix_noise(leaf, lambda, permutation(Key(seed), 6),
                               noise_of(2, 0.1 * static_cast<double>(seed), 0.5, 0.2, law, seed));
    backward(y, g.to(where));
    return y.detach();
  };
  Tensor there = x.to(*device).clone(), y, dx;
  const Tensor gradient_there = g.to(*device);
  there.set_requires_grad();
  Replay replay(*device, [&] {
    there.clear_grad();
    const Tensor out = mix_noise(there, 0.25, permutation(Key(1), 6),
                                 noise_of(2, 0.1, 0.5, 0.2, MultiplicativeLaw::uniform, 1));
    backward(out, gradient_there);
    y = out.detach();
    dx = there.grad();
  });
  CHECK(replay.names() == std::vector<std::string>{"mix_noise"});
  for (const std::uint64_t seed : {1, 2, 3})
    for (const double lambda : {0.25, 0.0, 1.0})
      for (const auto law : {MultiplicativeLaw::uniform, MultiplicativeLaw::normal}) {
        Tensor here = x.clone();
        here.set_requires_grad();
        const Tensor want = run(Device{}, lambda, seed, here, law);
        replay.set("mix_noise",
                   pack_mix_noise(lambda, permutation(Key(seed), 6),
                                  noise_of(2, 0.1 * static_cast<double>(seed), 0.5, 0.2, law, seed)));
        replay.run();
        CHECK(relative_error(y, want) < 3e-6);
        CHECK(relative_error(dx, here.grad()) < 3e-6);
      }
}

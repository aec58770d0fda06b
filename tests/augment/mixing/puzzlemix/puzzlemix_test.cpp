// PuzzleMix on whole batches: masks against the best of all, moves against plans, shares, views and errors.
#include "augment/mixing/puzzlemix/puzzlemix.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "augment/mixing/puzzlemix/block_transport.h"
#include "engine/ops/concat.h"
#include "engine/ops/random.h"
#include "tests/augment/mixing/puzzlemix/puzzle_by_definition.h"
#include "tests/check_op.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

const Normalization kCifar{{0.49f, 0.48f, 0.44f}, {0.25f, 0.2f, 0.3f}};

/// Normalised random images.
Tensor images(std::int64_t n, std::int64_t side, int key, Dtype dtype = Dtype::f32) {
  auto x = values(random_uniform({n, side, side, 3}, Key(key), 0, 1, Dtype::f64));
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = (x[i] - static_cast<double>(kCifar.mean[i % 3])) / static_cast<double>(kCifar.stddev[i % 3]);
  return Tensor::from(x, {n, side, side, 3}).to(dtype);
}

/// Blobs of saliency at different places.
Tensor saliency(std::int64_t n, std::int64_t side, int key) {
  std::vector<float> s;
  for (std::int64_t i = 0; i < n; ++i) {
    const double y0 = Key(key).child(i).uniform(0) * static_cast<double>(side);
    const double x0 = Key(key).child(i).uniform(1) * static_cast<double>(side);
    for (std::int64_t y = 0; y < side; ++y)
      for (std::int64_t x = 0; x < side; ++x) {
        const double dy = static_cast<double>(y) - y0, dx = static_cast<double>(x) - x0;
        const double noise = Key(key).child(i).uniform(static_cast<std::uint64_t>(2 + y * side + x));
        s.push_back(
            static_cast<float>(std::exp(-(dy * dy + dx * dx) / static_cast<double>(side)) + 0.1 * noise));
      }
  }
  return Tensor::from(s, {n, side, side});
}

PlainImage plain_image(const Tensor& x, const Tensor& s, std::int64_t i) {
  PlainImage image{values(x.rows(i, i + 1)), values(s.rows(i, i + 1)), static_cast<std::size_t>(x.dim(1)), 3};
  for (std::size_t k = 0; k < image.pixels.size(); ++k)
    image.pixels[k] =
        image.pixels[k] * static_cast<double>(kCifar.stddev[k % 3]) + static_cast<double>(kCifar.mean[k % 3]);
  return image;
}

/// Mask of picture i [side][side] of a batch mixed without moves, from the pixels: (y - x2) / (x1 - x2).
std::vector<double> mask_of(const PuzzleMixed& mixed, const Tensor& x, std::int64_t i) {
  const auto pixels = static_cast<std::size_t>(x.dim(1) * x.dim(2));
  const auto y = values(mixed.images), from = values(x);
  const auto own = static_cast<std::size_t>(i) * pixels * 3;
  const auto partner = static_cast<std::size_t>(mixed.permutation[static_cast<std::size_t>(i)]) * pixels * 3;
  std::vector<double> mask;
  for (std::size_t p = 0; p < pixels; ++p) {
    std::size_t c = 0;  // the channel that tells the two images apart best
    const auto gap = [&](std::size_t k) { return from[own + 3 * p + k] - from[partner + 3 * p + k]; };
    for (std::size_t k = 1; k < 3; ++k)
      if (std::abs(gap(k)) > std::abs(gap(c))) c = k;
    mask.push_back((y[own + 3 * p + c] - from[partner + 3 * p + c]) / gap(c));
  }
  return mask;
}

/// Values of the mask per block, checked to be constant there and to be labels.
std::vector<double> blocks_of(const std::vector<double>& mask, std::size_t side, std::size_t blocks,
                              double steps) {
  std::vector<double> z(blocks * blocks, -1);
  for (std::size_t y = 0; y < side; ++y)
    for (std::size_t x = 0; x < side; ++x) {
      double& value = z[y / (side / blocks) * blocks + x / (side / blocks)];
      const double rounded = std::round(mask[y * side + x] * steps) / steps;
      REQUIRE(std::abs(mask[y * side + x] - rounded) < 1e-3);
      if (value >= 0) REQUIRE(value == rounded);
      value = rounded;
    }
  return z;
}

PuzzleMixOptions still() {
  PuzzleMixOptions options;
  options.transport = false;
  return options;
}

}  // namespace

TEST_CASE("with two labels the mask is the best of all masks") {
  PuzzleMixOptions options = still();
  options.labels = 2;
  options.cost_scale = 1e6;
  options.block_counts = {2};
  int both = 0;
  for (int seed = 0; seed < 4; ++seed) {
    const Tensor x = images(6, 16, 10 + seed), s = saliency(6, 16, 20 + seed);
    PuzzleMixDraw draw = draw_puzzlemix(options, 6, 16, Key(seed));
    draw.permutation = {1, 2, 3, 4, 5, 0};
    const PuzzleMixed mixed = apply_puzzlemix(draw, options, x, s, kCifar);
    for (std::int64_t i = 0; i < 6; ++i) {
      const PlainImage own = plain_image(x, s, i), partner = plain_image(x, s, (i + 1) % 6);
      const PuzzleByDefinition definition(options, 2, draw.lambda, own, partner);
      const auto z = blocks_of(mask_of(mixed, x, i), 16, 2, 1);
      double best = INFINITY;
      for (int m = 0; m < 16; ++m)
        best = std::min(
            best, definition.energy({double(m & 1), double(m >> 1 & 1), double(m >> 2 & 1), double(m >> 3)}));
      CHECK(definition.energy(z) <= best + 1e-5);
      both += std::count(z.begin(), z.end(), 1.0) % 4 != 0;
    }
  }
  CHECK(both > 4);
}

TEST_CASE("with three labels no change of one or two blocks is better, for every number of blocks") {
  PuzzleMixOptions options = still();
  options.cost_scale = 1e6;
  for (const std::int64_t blocks : {2, 4, 8}) {
    CAPTURE(blocks);
    options.block_counts = {blocks};
    const Tensor x = images(3, 16, 30), s = saliency(3, 16, 31);
    PuzzleMixDraw draw = draw_puzzlemix(options, 3, 16, Key(blocks));
    draw.permutation = {1, 2, 0};
    draw.lambda = 0.6;
    const PuzzleMixed mixed = apply_puzzlemix(draw, options, x, s, kCifar);
    const auto m = static_cast<std::size_t>(blocks);
    const PlainImage own = plain_image(x, s, 0), partner = plain_image(x, s, 1);
    const PuzzleByDefinition definition(options, m, 0.6, own, partner);
    const auto mask = mask_of(mixed, x, 0);
    const auto z = blocks_of(mask, 16, m, 2);
    const double reached = definition.energy(z);
    for (std::size_t i = 0; i < z.size(); ++i)
      for (const double value : {0.0, 0.5, 1.0}) {
        auto other = z;
        other[i] = value;
        CHECK(reached <= definition.energy(other) + 1e-5);
      }
    double mean = 0;
    for (const double value : mask) mean += value / 256;
    CHECK(values(mixed.shares)[0] == doctest::Approx(mean).epsilon(1e-4));
  }
}

TEST_CASE("moved cells come from where the plan says, in every view") {
  PuzzleMixOptions options = still();
  options.gamma = 0;  // the mask depends on the saliency alone, so images without texture show it
  for (const std::int64_t blocks : {2, 4, 8, 16}) {
    CAPTURE(blocks);
    options.block_counts = {blocks};
    const std::int64_t side = 16, batch = 3, cell = std::min<std::int64_t>(4, side / blocks),
                       cells = side / cell;
    const Tensor s = saliency(batch, side, 41);
    const Tensor first = images(batch, side, 42), x = concat({first, images(batch, side, 43)});
    PuzzleMixDraw draw = draw_puzzlemix(options, batch, side, Key(7));
    draw.permutation = {2, 0, 1};
    draw.lambda = 0.5;
    options.transport = false;
    const PuzzleMixed plain = apply_puzzlemix(draw, options, first, s, kCifar);
    options.transport = true;
    const PuzzleMixed mixed = apply_puzzlemix(draw, options, x, s, kCifar, 2);
    CHECK(same_bits(plain.shares, mixed.shares));
    const auto from = values(x), got = values(mixed.images);
    const BlockTransport transport(cells, options.t_eps);
    for (std::int64_t i = 0; i < batch; ++i) {
      const std::int64_t other = draw.permutation[static_cast<std::size_t>(i)];
      const auto mask = mask_of(plain, first, i);
      std::vector<std::int64_t> plans[2];
      for (int which = 0; which < 2; ++which) {
        const PlainImage image = plain_image(first, s, which == 0 ? i : other);
        std::vector<float> shares, visible;
        for (std::int64_t j = 0; j < cells * cells; ++j) {
          const auto y = static_cast<std::size_t>(j / cells), z = static_cast<std::size_t>(j % cells);
          shares.push_back(static_cast<float>(image.share_of(y, z, static_cast<std::size_t>(cell))));
          const double value =
              mask[y * static_cast<std::size_t>(cell * side) + z * static_cast<std::size_t>(cell)];
          visible.push_back((which == 0 ? value : 1 - value) > 0.1 ? 1.0f : 0.0f);
        }
        plans[which] = transport.plan(shares.data(), visible.data());
      }
      double worst = 0;
      for (std::int64_t view = 0; view < 2; ++view)
        for (std::int64_t y = 0; y < side; ++y)
          for (std::int64_t z = 0; z < side; ++z) {
            const auto target = static_cast<std::size_t>(y / cell * cells + z / cell);
            const double share = std::round(2 * mask[static_cast<std::size_t>(y * side + z)]) / 2;
            for (std::int64_t c = 0; c < 3; ++c) {
              const auto at = [&](std::int64_t image, std::int64_t source) {
                if (source < 0) return 0.0;
                const std::int64_t row = source / cells * cell + y % cell,
                                   column = source % cells * cell + z % cell;
                return from[static_cast<std::size_t>(
                    (((view * batch + image) * side + row) * side + column) * 3 + c)];
              };
              const double expected =
                  share * at(i, plans[0][target]) + (1 - share) * at(other, plans[1][target]);
              const auto index =
                  static_cast<std::size_t>((((view * batch + i) * side + y) * side + z) * 3 + c);
              worst = std::max(worst, std::abs(got[index] - expected));
            }
          }
      CHECK(worst < 1e-6);
    }
  }
}

TEST_CASE("draws: every number of blocks, lambda and partners from streams of their own") {
  std::array<int, 17> count{};
  double sum = 0;
  for (int step = 0; step < 4000; ++step) {
    const auto draw = draw_puzzlemix({}, 4, 32, Key(step));
    ++count[static_cast<std::size_t>(draw.blocks)];
    sum += draw.lambda / 4000;
  }
  for (const std::size_t blocks : {2u, 4u, 8u, 16u}) CHECK(std::abs(count[blocks] - 1000) < 120);
  CHECK(sum == doctest::Approx(0.5).epsilon(0.03));
  PuzzleMixOptions fixed;
  fixed.block_counts = {4};
  CHECK(draw_puzzlemix(fixed, 4, 32, Key(3)).permutation == draw_puzzlemix({}, 4, 32, Key(3)).permutation);
  CHECK(draw_puzzlemix(fixed, 4, 32, Key(3)).lambda == draw_puzzlemix({}, 4, 32, Key(3)).lambda);
}

TEST_CASE("lambda decides how much is seen of either image; saliency decides where") {
  PuzzleMixOptions options;
  options.block_counts = {8};
  const Tensor x = images(8, 32, 50), s = saliency(8, 32, 51);
  PuzzleMixDraw draw = draw_puzzlemix(options, 8, 32, Key(1));
  double previous = -1;
  for (const double lambda : {0.0, 0.1, 0.5, 0.9, 1.0}) {
    draw.lambda = lambda;
    double share = 0;
    for (const double r : values(apply_puzzlemix(draw, options, x, s, kCifar).shares)) share += r / 8;
    CHECK(share > previous);
    previous = share;
  }
  CHECK(previous > 0.9);
}

TEST_CASE("equal for any number of threads, f64 as f32, and finite whatever the saliency") {
  const Tensor x = images(10, 32, 60), s = saliency(10, 32, 61);
  check_same_bits_for_any_threads([&] {
    std::vector<Tensor> results;
    for (int seed = 0; seed < 4; ++seed) {
      const PuzzleMixed mixed = puzzlemix({}, x, s, kCifar, Key(seed));
      results.push_back(mixed.images);
      results.push_back(mixed.shares);
    }
    return results;
  });
  const PuzzleMixed wide = puzzlemix({}, x.to(Dtype::f64), s.to(Dtype::f64), kCifar, Key(2));
  CHECK(wide.images.dtype() == Dtype::f64);
  CHECK(relative_error(puzzlemix({}, x, s, kCifar, Key(2)).images, wide.images) < 1e-6);

  const PuzzleMixed even = puzzlemix({}, x, Tensor::ones({10, 32, 32}), kCifar, Key(2));
  for (const double value : {0.0, -1.0, std::nan(""), double(INFINITY)}) {
    const PuzzleMixed mixed = puzzlemix({}, x, Tensor::full({10, 32, 32}, value), kCifar, Key(2));
    CHECK(same_bits(mixed.images, even.images));
  }
  const PuzzleMixed none = puzzlemix({}, x.rows(0, 0), s.rows(0, 0), kCifar, Key(2));
  CHECK(none.images.dim(0) == 0);
  CHECK(none.shares.numel() == 0);
}

TEST_CASE("cells shrink where they do not divide a block") {
  PuzzleMixOptions options;
  options.block_counts = {2, 4};  // blocks of 14 and 7 pixels
  const Tensor x = images(4, 28, 70), s = saliency(4, 28, 71);
  for (int seed = 0; seed < 4; ++seed) CHECK(all_finite(puzzlemix(options, x, s, kCifar, Key(seed)).images));
}

TEST_CASE("wrong settings and tensors are named") {
  const auto with = [](auto&& change) {
    PuzzleMixOptions options;
    change(options);
    return options;
  };
  for (const PuzzleMixOptions& options :
       {with([](auto& o) { o.alpha = -1; }), with([](auto& o) { o.eta = NAN; }),
        with([](auto& o) { o.gamma = 1.5; }), with([](auto& o) { o.labels = 1; }),
        with([](auto& o) { o.t_eps = -1; }), with([](auto& o) { o.beta = -1; }),
        with([](auto& o) { o.block_counts = {}; }), with([](auto& o) { o.block_counts = {1}; }),
        with([](auto& o) { o.neighbourhood = 0; }), with([](auto& o) { o.cost_scale = 0; })})
    CHECK_THROWS_AS(draw_puzzlemix(options, 4, 32, Key(1)), ConfigError);
  CHECK_THROWS_WITH_AS(
      draw_puzzlemix({}, 4, 8, Key(1)),
      "[puzzlemix] images of 8 pixels along a side cannot be cut into 16 blocks; choose numbers of "
      "blocks that divide the side",
      ShapeError);
  const Tensor x = images(4, 16, 80), s = saliency(4, 16, 81);
  CHECK_THROWS_AS(puzzlemix({}, x, s.rows(0, 3), kCifar, Key(1)), ShapeError);
  CHECK_THROWS_AS(puzzlemix({}, x, s, kCifar, Key(1), 3), ShapeError);
  CHECK_THROWS_AS(puzzlemix({}, Tensor::zeros({4, 16, 8, 3}), s, kCifar, Key(1)), ShapeError);
  CHECK_THROWS_AS(puzzlemix({}, Tensor::zeros({4, 16, 16, 2}), s, kCifar, Key(1)), ShapeError);
}

// Whole-number energies of masks against those written out pixel by pixel.
#include "augment/mixing/puzzlemix/mask_energy.h"

#include "tests/augment/mixing/puzzlemix/puzzle_by_definition.h"
#include "tests/check_op.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

PlainImage random_plain_image(std::size_t side, Key key) {
  PlainImage image{{}, {}, side, 3};
  Draws draws(key);
  for (std::size_t i = 0; i < side * side * 3; ++i) image.pixels.push_back(draws.uniform());
  for (std::size_t i = 0; i < side * side; ++i) image.saliency.push_back(draws.uniform());
  return image;
}

struct Tables {
  std::vector<double> means, shares;
};

Tables tables_of(const PlainImage& image, std::size_t blocks, std::size_t cell) {
  Tables tables;
  for (std::size_t y = 0; y < image.side / cell; ++y)
    for (std::size_t x = 0; x < image.side / cell; ++x)
      for (std::size_t c = 0; c < 3; ++c) tables.means.push_back(image.mean_of(y, x, cell, c));
  for (std::size_t y = 0; y < blocks; ++y)
    for (std::size_t x = 0; x < blocks; ++x)
      tables.shares.push_back(image.share_of(y, x, image.side / blocks));
  return tables;
}

}  // namespace

TEST_CASE("energies of random masks equal those written out, to the truncation") {
  for (const std::int64_t labels : {2, 3})
    for (const std::size_t blocks : {2u, 4u, 8u}) {
      CAPTURE(labels);
      CAPTURE(blocks);
      PuzzleMixOptions options;
      options.labels = labels;
      options.cost_scale = 1e6;
      const PlainImage own = random_plain_image(16, Key(1)), partner = random_plain_image(16, Key(2));
      const std::size_t block = 16 / blocks, cell = block < 4 ? block : 4;
      const Tables a = tables_of(own, blocks, cell), b = tables_of(partner, blocks, cell);
      const auto side = static_cast<std::int64_t>(16 / cell);
      const GridEnergy energy =
          mask_energy(options, static_cast<std::int64_t>(blocks), 0.3, {a.shares.data(), b.shares.data()},
                      {a.means.data(), b.means.data(), side, 3});
      const PuzzleByDefinition definition(options, blocks, 0.3, own, partner);
      const double last = static_cast<double>(labels - 1);
      const double unit = last * last * options.cost_scale * static_cast<double>(blocks * blocks);
      for (int seed = 0; seed < 20; ++seed) {
        std::vector<std::uint8_t> labelling;
        std::vector<double> z;
        for (std::uint64_t i = 0; i < blocks * blocks; ++i) {
          labelling.push_back(static_cast<std::uint8_t>(Key(seed).below(i, labels)));
          z.push_back(1 - labelling.back() / last);
        }
        CHECK(static_cast<double>(energy.of(labelling)) / unit ==
              doctest::Approx(definition.energy(z)).epsilon(1e-5));
      }
    }
}

TEST_CASE("whole images: what an edge costs is the seam between what its sides show") {
  // For masks of zeros and ones all terms folded into other places must come back as g_ab, up to a constant.
  PuzzleMixOptions options;
  options.labels = 2;
  const PlainImage own = random_plain_image(8, Key(3)), partner = random_plain_image(8, Key(4));
  const PuzzleByDefinition definition(options, 2, 0.5, own, partner);
  const double smooth = options.beta / 32;
  double constant = 0;
  for (int mask = 0; mask < 16; ++mask) {
    const auto z = [&](std::size_t i) { return mask >> i & 1; };
    double expected = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      expected += (z(i) ? partner : own).share_of(i / 2, i % 2, 4) + options.eta / 4 * definition.prior(z(i));
      const auto edge = [&](std::size_t j, bool below) {
        expected += smooth * options.gamma * definition.seam(i, z(i), z(j), below) + smooth * (z(i) != z(j));
      };
      if (i % 2 == 0) edge(i + 1, false);
      if (i < 2) edge(i + 2, true);
    }
    const double got = definition.energy({double(z(0)), double(z(1)), double(z(2)), double(z(3))});
    if (mask == 0) constant = got - expected;
    CHECK(got - expected == doctest::Approx(constant).epsilon(1e-9));
  }
}

TEST_CASE("costs are truncated after scaling by the number of blocks") {
  PuzzleMixOptions options;
  options.eta = 0;
  options.gamma = 0;
  const std::vector<double> own(4, 0.25), partner = {0.1, 0.2, 0.3, 0.4}, means(4, 0.0);
  const GridEnergy energy =
      mask_energy(options, 2, 0.5, {own.data(), partner.data()}, {means.data(), means.data(), 2, 1});
  // beta / (16 m) = 0.0375 times 1000 m^2 = 4000; unary costs carry the factor (labels - 1)^2 = 4.
  CHECK(energy.right == std::vector<std::int64_t>(2, 150));
  CHECK(energy.down == std::vector<std::int64_t>(2, 150));
  REQUIRE(energy.unary.size() == 12);
  CHECK(std::abs(energy.unary[0] - 4 * 400) <= 4);  // z = 1 hides the partner
  CHECK(energy.unary[2] == 4 * 1000);               // z = 0 hides the own image
  CHECK(std::abs(energy.unary[1] - 4 * 700) <= 4);
  for (const std::int64_t cost : energy.unary) CHECK(cost % 4 == 0);
}

TEST_CASE("what is not a number costs nothing, and weights are never negative") {
  PuzzleMixOptions options;
  const std::vector<double> shares(4, 0.25), bad = {NAN, 1e9, -1e9, 0.5}, fine = {-50, 80, 90, -1e300};
  const GridEnergy energy =
      mask_energy(options, 2, 1.0, {shares.data(), shares.data()}, {bad.data(), fine.data(), 2, 1});
  for (const std::int64_t weight : energy.right) CHECK(weight >= 0);
  for (const std::int64_t weight : energy.down) CHECK(weight >= 0);
  CHECK_THROWS_AS(
      mask_energy(options, 3, 1.0, {shares.data(), shares.data()}, {bad.data(), fine.data(), 2, 1}),
      ShapeError);
}

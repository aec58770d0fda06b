// Noise2Net against the networks written out in f64 loops, its two passes against each other, laws of the
// draws.
#include "augment/perturbations/noise2net.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "augment/perturbations/noise2net_passes.h"
#include "engine/ops/random.h"
#include "tests/check_op.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

using Plane = std::vector<double>;
using Planes = std::vector<Plane>;

/// One image's networks, plane by plane, with biases that batch norm must take away.
class ByDefinition {
 public:
  ByDefinition(const Noise2NetStructure& structure, std::int64_t height, std::int64_t width)
      : structure_(structure), height_(height), width_(width) {}

  void stage(Planes& x, int number, double epsilon, const Noise2NetWeights& weights) const {
    const auto h = static_cast<std::size_t>(structure_.hidden);
    const Planes wide = normalised(convolved(x, weights.expand, 4 * h, {1, 1}), true);
    Planes all, previous;
    for (std::size_t slice = 0; slice < 3; ++slice) {
      Planes input(wide.begin() + static_cast<std::ptrdiff_t>(slice * h),
                   wide.begin() + static_cast<std::ptrdiff_t>((slice + 1) * h));
      for (std::size_t c = 0; c < previous.size(); ++c)
        for (std::size_t p = 0; p < input[c].size(); ++p) input[c][p] += previous[c][p];
      previous = normalised(convolved(input, weights.convs[slice], h,
                                      structure_.convs[static_cast<std::size_t>(number)][slice]),
                            true);
      all.insert(all.end(), previous.begin(), previous.end());
    }
    all.insert(all.end(), wide.begin() + static_cast<std::ptrdiff_t>(3 * h), wide.end());
    const Planes change = normalised(convolved(all, weights.reduce, x.size(), {1, 1}), false);
    for (std::size_t c = 0; c < x.size(); ++c)
      for (std::size_t p = 0; p < x[c].size(); ++p) x[c][p] += epsilon * change[c][p];
  }

 private:
  Planes convolved(const Planes& x, const std::vector<float>& weights, std::size_t outputs,
                   Noise2NetConv conv) const {
    const std::int64_t reach = (conv.kernel - 1) / 2;
    Planes y(outputs, Plane(x[0].size()));
    std::size_t taps = 0;
    for (std::size_t o = 0; o < outputs; ++o) {
      const std::size_t first = taps;
      for (std::int64_t row = 0; row < height_; ++row)
        for (std::int64_t column = 0; column < width_; ++column) {
          double sum = 0.3 * static_cast<double>(o) - 0.5;  // a bias
          taps = first;
          for (std::int64_t dy = -reach; dy <= reach; ++dy)
            for (std::int64_t dx = -reach; dx <= reach; ++dx)
              for (const Plane& plane : x) {
                const double weight = static_cast<double>(weights[taps++]);
                const std::int64_t v = row + dy * conv.dilation, u = column + dx * conv.dilation;
                if (v < 0 || v >= height_ || u < 0 || u >= width_) continue;
                sum += weight * plane[static_cast<std::size_t>(v * width_ + u)];
              }
          y[o][static_cast<std::size_t>(row * width_ + column)] = sum;
        }
    }
    CHECK(taps == weights.size());
    return y;
  }

  Planes normalised(Planes x, bool relu) const {
    for (Plane& plane : x) {
      double mean = 0, variance = 0;
      const double count = static_cast<double>(plane.size());
      for (const double v : plane) mean += v / count;
      for (const double v : plane) variance += (v - mean) * (v - mean) / count;
      for (double& v : plane) {
        v = (v - mean) / std::sqrt(variance + 1e-5);
        if (relu) v = std::max(v, 0.0);
      }
    }
    return x;
  }

  const Noise2NetStructure& structure_;
  std::int64_t height_, width_;
};

Tensor by_definition(const Tensor& images, const Noise2NetStructure& structure, double epsilon, Key key) {
  const std::int64_t height = images.dim(1), width = images.dim(2);
  const auto channels = static_cast<std::size_t>(images.dim(3)),
             size = static_cast<std::size_t>(height * width);
  auto pixels = values(images);
  const ByDefinition definition(structure, height, width);
  for (std::int64_t i = 0; i < images.dim(0); ++i) {
    double* own = pixels.data() + static_cast<std::size_t>(i) * size * channels;
    Planes x(channels, Plane(size));
    for (std::size_t p = 0; p < size; ++p)
      for (std::size_t c = 0; c < channels; ++c) x[c][p] = own[p * channels + c];
    for (int stage = 0; stage < 4; ++stage)
      definition.stage(x, stage, epsilon, draw_noise2net_weights(structure, stage, i, key));
    for (std::size_t p = 0; p < size; ++p)
      for (std::size_t c = 0; c < channels; ++c) own[p * channels + c] = x[c][p];
  }
  return Tensor::from(pixels, images.shape());
}

}  // namespace

TEST_CASE("both passes compute the networks written out") {
  struct Size {
    std::int64_t height, width, channels, hidden;
  };
  bool dilated = false;
  for (const Size size :
       {Size{8, 8, 3, 2}, Size{9, 7, 3, 2}, Size{5, 6, 1, 3}, Size{2, 3, 3, 1}, Size{12, 33, 3, 4}})
    for (int seed = 0; seed < 3; ++seed) {
      CAPTURE(size.width);
      CAPTURE(seed);
      const auto structure = draw_noise2net_structure(size.channels, size.hidden, Key(seed));
      for (const auto& stage : structure.convs)
        for (const auto& conv : stage) dilated = dilated || (conv.kernel == 3 && conv.dilation == 3);
      const Tensor x =
          random_normal({3, size.height, size.width, size.channels}, Key(50 + seed), 0, 1, Dtype::f32);
      const Tensor expected = by_definition(x, structure, 0.4, Key(9));
      CHECK(relative_error(noise2net_with_ops(x.to(Dtype::f64), structure, 0.4, Key(9)), expected) < 1e-10);
      CHECK(relative_error(noise2net_by_image(x, structure, 0.4, Key(9)), expected) < 3e-5);
      CHECK(relative_error(noise2net_with_ops(x, structure, 0.4, Key(9)), expected) < 3e-5);
      CHECK(relative_error(x, expected) > 0.05);
    }
  CHECK(dilated);
}

TEST_CASE("the first int(ratio b) images change, the others stay") {
  const Tensor x = random_normal({7, 8, 8, 3}, Key(1));
  for (const double ratio : {0.0, 0.1, 0.5, 0.75, 1.0}) {
    CAPTURE(ratio);
    Noise2NetOptions options;
    options.ratio = ratio;
    const Tensor y = noise2net(x, options, Key(2), Key(3));
    REQUIRE(y.shape() == x.shape());
    const auto changed = static_cast<std::int64_t>(ratio * 7);
    for (std::int64_t i = 0; i < 7; ++i)
      CHECK(same_bits(y.rows(i, i + 1), x.rows(i, i + 1)) == (i >= changed));
    CHECK_FALSE(y.tracks_grad());
  }
}

TEST_CASE("epsilon is one draw per call, and scales the change of a single stage") {
  // Each stage adds planes of unit variance times epsilon, so the change's size tells epsilon.
  const Tensor x = random_normal({40, 16, 16, 3}, Key(4));
  Noise2NetOptions options;
  options.ratio = 1;
  double smallest = 1, largest = 0;
  for (int seed = 0; seed < 40; ++seed) {
    const auto y = values(noise2net(x, options, Key(seed), Key(1))), from = values(x);
    double squares = 0;
    for (std::size_t i = 0; i < y.size(); ++i) squares += (y[i] - from[i]) * (y[i] - from[i]);
    const double size = std::sqrt(squares / static_cast<double>(y.size()));
    const double epsilon = 0.05 * (1 + Key(seed).child("epsilon").uniform(0));
    CHECK(size > 1.2 * epsilon);  // four independent stages give 2 epsilon
    CHECK(size < 4 * epsilon);
    smallest = std::min(smallest, epsilon), largest = std::max(largest, epsilon);
  }
  CHECK(smallest < 0.06);
  CHECK(largest > 0.09);
  options.epsilon = 0;
  CHECK(same_bits(noise2net(x, options, Key(1), Key(1)), x));
}

TEST_CASE("images have networks of their own, and calls other weights but the same structure") {
  const Tensor one = random_normal({1, 8, 8, 3}, Key(5));
  std::vector<float> twice = one.to_vector<float>();
  twice.insert(twice.end(), twice.begin(), twice.begin() + 192);
  Noise2NetOptions options;
  options.ratio = 1;
  const Tensor y = noise2net(Tensor::from(twice, {2, 8, 8, 3}), options, Key(1), Key(2));
  CHECK_FALSE(same_bits(y.rows(0, 1), y.rows(1, 2)));
  CHECK(same_bits(y.rows(0, 1), noise2net(one, options, Key(1), Key(2))));
  CHECK_FALSE(same_bits(y.rows(0, 1), noise2net(one, options, Key(3), Key(2))));
  CHECK_FALSE(same_bits(y.rows(0, 1), noise2net(one, options, Key(1), Key(4))));
}

TEST_CASE("structures: kernels 1 and 3, dilations 1 to 3; weights uniform within 1 / sqrt(fan in)") {
  std::array<int, 2> kernels{};
  std::array<int, 3> dilations{};
  for (int seed = 0; seed < 500; ++seed)
    for (const auto& stage : draw_noise2net_structure(3, 2, Key(seed)).convs)
      for (const auto& conv : stage) {
        REQUIRE((conv.kernel == 1 || conv.kernel == 3));
        ++kernels[static_cast<std::size_t>(conv.kernel / 2)];
        ++dilations[static_cast<std::size_t>(conv.dilation - 1)];
      }
  for (const int count : kernels) CHECK(std::abs(count - 3000) < 200);
  for (const int count : dilations) CHECK(std::abs(count - 2000) < 200);

  auto structure = draw_noise2net_structure(3, 16, Key(1));
  structure.convs[2][1] = {3, 2};
  const auto weights = draw_noise2net_weights(structure, 2, 5, Key(2));
  CHECK(weights.expand.size() == 192);
  CHECK(weights.convs[1].size() == 2304);
  const double bound = 1 / std::sqrt(144.0);
  double mean = 0, squares = 0, largest = 0;
  for (const float w : weights.convs[1]) {
    const double value = static_cast<double>(w);
    mean += value / 2304, squares += value * value / 2304, largest = std::max(largest, std::abs(value));
  }
  CHECK(std::abs(mean) < 0.1 * bound);
  CHECK(squares == doctest::Approx(bound * bound / 3).epsilon(0.06));
  CHECK(largest <= bound);
  CHECK(largest > 0.99 * bound);
}

TEST_CASE("equal for any number of threads; other precisions agree; constant images stay finite") {
  const Tensor x = random_normal({13, 16, 16, 3}, Key(6));
  check_same_bits_for_any_threads([&] { return std::vector<Tensor>{noise2net(x, {}, Key(1), Key(2))}; });
  const Tensor wide = noise2net(x.to(Dtype::f64), {}, Key(1), Key(2));
  CHECK(wide.dtype() == Dtype::f64);
  CHECK(relative_error(noise2net(x, {}, Key(1), Key(2)), wide) < 1e-5);
  const Tensor half = noise2net(x.to(Dtype::bf16), {}, Key(1), Key(2));
  CHECK(half.dtype() == Dtype::bf16);
  CHECK(relative_error(half, wide) < 0.02);
  CHECK(all_finite(noise2net(Tensor::full({4, 8, 8, 3}, 0.7), {}, Key(1), Key(2))));
}

TEST_CASE("wrong settings and tensors are named") {
  const Tensor x = Tensor::zeros({4, 8, 8, 3});
  const auto run = [&](double ratio, double epsilon, std::int64_t hidden) {
    return noise2net(x, {ratio, epsilon, hidden}, Key(1), Key(2));
  };
  CHECK_THROWS_WITH_AS(run(1.5, 0.1, 2), "[noise2net] ratio must be in [0, 1], got 1.5", ConfigError);
  CHECK_THROWS_AS(run(-0.5, 0.1, 2), ConfigError);
  CHECK_THROWS_AS(run(0.5, -0.1, 2), ConfigError);
  CHECK_THROWS_AS(run(0.5, NAN, 2), ConfigError);
  CHECK_THROWS_AS(run(0.5, 0.1, 0), ConfigError);
  CHECK_THROWS_AS(noise2net(Tensor::zeros({4, 1, 1, 3}), {}, Key(1), Key(2)), ShapeError);
  CHECK_THROWS_AS(noise2net(Tensor::zeros({4, 8, 8}), {}, Key(1), Key(2)), ShapeError);
  CHECK_THROWS_AS(noise2net(Tensor::zeros({4, 8, 8, 3}, Dtype::i64), {}, Key(1), Key(2)), ShapeError);
}

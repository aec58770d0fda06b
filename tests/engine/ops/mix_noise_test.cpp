#include "engine/ops/mix_noise.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/cpu/cpu_features.h"
#include "engine/cpu/parallel.h"
#include "engine/io/safetensors.h"
#include "tests/check_op.h"
#include "tests/golden.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

std::vector<ViewNoise> one_view(double add, double mult, double sparse, Key key = Key(1),
                                MultiplicativeLaw law = MultiplicativeLaw::uniform) {
  ViewNoise noise;
  noise.add = add;
  noise.mult = mult;
  noise.sparse = sparse;
  noise.law = law;
  noise.key = key;
  return {noise};
}

/// Mean and variance over all elements.
std::pair<double, double> moments(const std::vector<double>& x) {
  double sum = 0, squares = 0;
  for (const double v : x) sum += v, squares += v * v;
  const double n = static_cast<double>(x.size()), mean = sum / n;
  return {mean, squares / n - mean * mean};
}

double fraction_equal(const std::vector<double>& x, double value) {
  return static_cast<double>(std::count(x.begin(), x.end(), value)) / static_cast<double>(x.size());
}

/// Largest gap between the empirical distribution of `x` and the standard normal one, times sqrt(n).
double kolmogorov(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  const double n = static_cast<double>(x.size());
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double cdf = 0.5 * std::erfc(-x[i] / std::sqrt(2.0)), rank = static_cast<double>(i);
    worst = std::max({worst, std::abs(cdf - rank / n), std::abs(cdf - (rank + 1) / n)});
  }
  return worst * std::sqrt(n);
}

constexpr std::int64_t kMany = 1 << 21;

}  // namespace

TEST_CASE("mixing agrees with the reference values, gradient included") {
  const auto bundle = read_safetensors(fixture_path("ops/arith.safetensors"));
  const Tensor index = bundle.at("lerp_mix/index");
  Tensor x = bundle.at("lerp_mix/x").to(Dtype::f32).clone();
  x.set_requires_grad();
  const Tensor y = mix_noise(x, 0.3, index.to_vector<std::int64_t>(), one_view(0, 0, 0));
  CHECK(relative_error(y, bundle.at("lerp_mix/y")) < 1e-6);
  backward(y, bundle.at("lerp_mix/g_y"));
  CHECK(relative_error(x.grad(), bundle.at("lerp_mix/grad_x")) < 1e-6);
}

TEST_CASE("every view is mixed within itself") {
  const Tensor x = Tensor::from<float>({1, 2, 3, 10, 20, 30}, {6, 1});
  const Tensor y = mix_noise(x, 0.75, {2, 0, 1}, std::vector<ViewNoise>(2));
  CHECK(y.to_vector<float>() == std::vector<float>{1.5f, 1.75f, 2.75f, 15.0f, 17.5f, 27.5f});
  // lambda 0 only reorders, exactly, and infinities stay where they belong
  const Tensor z =
      mix_noise(Tensor::from<float>({1, INFINITY, 3}, {3, 1}), 0, {2, 0, 1}, std::vector<ViewNoise>(1));
  CHECK(z.to_vector<float>() == std::vector<float>{3, 1, INFINITY});
}

TEST_CASE("nothing to do returns the tensor itself") {
  const Tensor x = Tensor::ones({4, 3});
  CHECK(mix_noise(x, 1, {}, one_view(0, 0, 0.5)).raw() == x.raw());
  CHECK(mix_noise(x, 1, {}, one_view(0.5, 0.5, 1)).raw() == x.raw());
}

TEST_CASE("gradients") {
  const Tensor x = random_normal({6, 5}, Key(4));
  auto noise = one_view(0.4, 0.6, 0.3);
  noise.push_back(one_view(0.1, 0.9, 0, Key(8), MultiplicativeLaw::normal)[0]);
  const std::vector<std::int64_t> permutation{2, 0, 1};
  const auto with = [&](double lambda, const std::vector<ViewNoise>& n) {
    check_gradients([&](const std::vector<Tensor>& in) { return mix_noise(in[0], lambda, permutation, n); },
                    {x}, 1e-6);
  };
  with(0.3, noise);
  with(0, noise);
  with(1, noise);
  with(0.3, std::vector<ViewNoise>(2));
  noise[0].mult = 0;
  with(0.3, noise);
}

TEST_CASE(
    "the gradient of ones is the multiplicative factor itself: noise is regenerated, and does not depend on "
    "add") {
  for (const auto law : {MultiplicativeLaw::uniform, MultiplicativeLaw::normal}) {
    Tensor x = Tensor::ones({7, 333});
    x.set_requires_grad();
    backward(mix_noise(x, 1, {}, one_view(0.7, 0.5, 0.65, Key(3), law)), Tensor::ones(x.shape()));
    NoGrad unrecorded;
    CHECK(
        same_bits(x.grad(), mix_noise(Tensor::ones(x.shape()), 1, {}, one_view(0, 0.5, 0.65, Key(3), law))));
  }
}

TEST_CASE("additive noise: moments, share of zeros, normal law") {
  const Tensor zero = Tensor::zeros({1, kMany});
  const auto dense = values(mix_noise(zero, 1, {}, one_view(1, 0, 0)));
  const auto [mean, variance] = moments(dense);
  CHECK(std::abs(mean) < 4 / std::sqrt(kMany));
  CHECK(variance == doctest::Approx(1).epsilon(0.005));
  CHECK(kolmogorov(dense) < 1.95);  // exceeded by chance once in a thousand
  double fourth = 0, neighbours = 0;
  for (std::size_t i = 0; i < dense.size(); ++i) fourth += std::pow(dense[i], 4) / kMany;
  for (std::size_t i = 0; i < dense.size(); i += 2) neighbours += dense[i] * dense[i + 1] * 2 / kMany;
  CHECK(fourth == doctest::Approx(3).epsilon(0.02));
  CHECK(std::abs(neighbours) < 0.005);

  const auto sparse = values(mix_noise(zero, 1, {}, one_view(0.5, 0, 0.65)));
  CHECK(fraction_equal(sparse, 0) == doctest::Approx(0.65).epsilon(0.003));
  CHECK(moments(sparse).second == doctest::Approx(0.25 * 0.35).epsilon(0.01));
}

TEST_CASE("multiplicative noise: both laws, moments, share of ones, bounds") {
  const Tensor one = Tensor::ones({1, kMany});
  const auto uniform = values(mix_noise(one, 1, {}, one_view(0, 0.5, 0.65)));
  CHECK(fraction_equal(uniform, 1) == doctest::Approx(0.65).epsilon(0.003));
  CHECK(moments(uniform).first == doctest::Approx(1).epsilon(0.001));
  CHECK(moments(uniform).second == doctest::Approx(0.25 / 3 * 0.35).epsilon(0.01));
  CHECK(*std::min_element(uniform.begin(), uniform.end()) >= 0.5);
  CHECK(*std::max_element(uniform.begin(), uniform.end()) <= 1.5);

  const auto dense = values(mix_noise(one, 1, {}, one_view(0, 1, 0)));
  std::array<double, 16> histogram{};
  for (const double v : dense) histogram[std::min<std::size_t>(15, static_cast<std::size_t>(v * 8))] += 1;
  double chi_squared = 0;
  for (const double count : histogram) chi_squared += std::pow(count - kMany / 16.0, 2) / (kMany / 16.0);
  CHECK(chi_squared < 38);  // 15 degrees of freedom, one in a thousand

  auto normal = values(mix_noise(one, 1, {}, one_view(0, 1, 0, Key(2), MultiplicativeLaw::normal)));
  for (double& v : normal) v -= 1;
  CHECK(kolmogorov(normal) < 1.95);
  const auto masked = values(mix_noise(one, 1, {}, one_view(0, 1, 0.65, Key(2), MultiplicativeLaw::normal)));
  CHECK(fraction_equal(masked, 1) == doctest::Approx(0.65).epsilon(0.003));
}

TEST_CASE("both masks are independent of each other and of the values") {
  const auto factor = values(mix_noise(Tensor::ones({1, kMany}), 1, {}, one_view(0, 0.5, 0.65)));
  const auto term = values(mix_noise(Tensor::zeros({1, kMany}), 1, {}, one_view(0.5, 0, 0.65)));
  double both_out = 0, kept_together = 0, product = 0, squares = 0;
  for (std::size_t i = 0; i < factor.size(); ++i) {
    both_out += factor[i] == 1 && term[i] == 0;
    if (factor[i] == 1 || term[i] == 0) continue;
    kept_together += 1;
    product += (factor[i] - 1) * term[i];
    squares += (factor[i] - 1) * (factor[i] - 1);
  }
  CHECK(both_out / kMany == doctest::Approx(0.65 * 0.65).epsilon(0.005));
  CHECK(kept_together / kMany == doctest::Approx(0.35 * 0.35).epsilon(0.01));
  CHECK(std::abs(product / kept_together) < 0.001);
  CHECK(squares / kept_together == doctest::Approx(0.25 / 3).epsilon(0.01));
}

TEST_CASE("entries follow the documented words of their block") {
  const Key key(12);
  const std::int64_t n = 3001;
  const auto got = values(mix_noise(Tensor::zeros({1, n}, Dtype::f64), 1, {}, one_view(1, 0, 0, key)));
  double worst = 0;
  for (std::int64_t e = 0; e < n; ++e) {
    const auto block = key.block(static_cast<std::uint64_t>(e / 2));
    const double r = std::sqrt(-2 * std::log((block[0] + 0.5) * 0x1p-32));
    // the quadrant in the top bits is: right, top (bit 30), left and bottom (bit 31)
    const double quarter =
        static_cast<double>(static_cast<std::int32_t>(block[1] << 2)) * 0x1p-31 * std::acos(-1.0) / 4;
    const double angle = quarter + std::acos(-1.0) / 2 * ((block[1] >> 30 & 1) + 2 * (block[1] >> 31));
    worst = std::max(worst, std::abs(got[static_cast<std::size_t>(e)] -
                                     r * (e % 2 == 0 ? std::cos(angle) : std::sin(angle))));
  }
  CHECK(worst < 3e-6);
}

TEST_CASE("the same bits for any number of threads and every instruction set") {
  const auto level = cpu::active_isa();
  const int threads = cpu::threads();
  auto noise = one_view(0.3, 0.4, 0.65);
  noise.push_back(one_view(0.6, 0.4, 0.2, Key(5), MultiplicativeLaw::normal)[0]);
  const Tensor x = random_normal({10, 7001}, Key(6));
  const auto shuffled = permutation(Key(7), 5);
  for (const Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::f64}) {
    Tensor reference;
    for (const auto isa : cpu::usable_isas()) {
      for (const int count : {1, 2, 5}) {
        cpu::set_isa(isa);
        cpu::set_threads(count);
        const Tensor y = mix_noise(x.to(dtype), 0.4, shuffled, noise);
        if (!reference.defined()) reference = y;
        CHECK_MESSAGE(same_bits(y, reference), name_of(isa), " with ", count, " threads");
      }
    }
  }
  cpu::set_isa(level);
  cpu::set_threads(threads);
}

TEST_CASE("all dtypes get the same noise; views differ; sizes off the tile") {
  for (const std::int64_t columns : {1, 2, 511, 512, 513, 5000}) {
    const Tensor x = random_normal({4, columns}, Key(2), 0, 1, Dtype::f64);
    std::vector<ViewNoise> noise{one_view(0.5, 0.5, 0.65, Key(1))[0], one_view(0.5, 0.5, 0.65, Key(2))[0]};
    const Tensor exact = mix_noise(x, 0.3, {1, 0}, noise);
    CHECK(relative_error(mix_noise(x.to(Dtype::f32), 0.3, {1, 0}, noise), exact) < 1e-6);
    CHECK(relative_error(mix_noise(x.to(Dtype::bf16), 0.3, {1, 0}, noise), exact) < 2e-2);
    if (columns < 500) continue;
    const Tensor zero = mix_noise(zeros_like(x), 1, {}, noise);
    CHECK_FALSE(same_bits(zero.rows(0, 2), zero.rows(2, 4)));
  }
  CHECK(mix_noise(Tensor::zeros({0, 3}), 1, {}, one_view(1, 1, 0)).numel() == 0);
  CHECK(mix_noise(Tensor::zeros({2, 0}), 0.5, {1, 0}, one_view(1, 1, 0)).numel() == 0);
}

TEST_CASE("errors say what is wrong") {
  const Tensor x = Tensor::zeros({4, 2});
  CHECK_THROWS_WITH_AS(mix_noise(x, 0.5, {0, 1}, one_view(0, 0, 0)),
                       "[mix_noise] permutation has 2 indices, the views have 4 rows", ShapeError);
  CHECK_THROWS_WITH_AS(mix_noise(x, 0.5, {0, 1, 1, 2}, one_view(0, 0, 0)),
                       "[mix_noise] index 1 at position 2 does not belong to a permutation of 4 rows",
                       ShapeError);
  CHECK_THROWS_AS(mix_noise(x, 0.5, {0, 1, 4, 2}, one_view(0, 0, 0)), ShapeError);
  CHECK_THROWS_AS(mix_noise(x, 1, {}, std::vector<ViewNoise>(3)), ShapeError);
  CHECK_THROWS_AS(mix_noise(x, 1, {}, {}), ShapeError);
  CHECK_THROWS_AS(mix_noise(x, 1.5, {}, one_view(0, 0, 0)), ShapeError);
  CHECK_THROWS_AS(mix_noise(x, NAN, {}, one_view(0, 0, 0)), ShapeError);
  CHECK_THROWS_AS(mix_noise(x, 1, {}, one_view(0.1, 0, 1.5)), ShapeError);
  CHECK_THROWS_AS(mix_noise(x, 1, {}, one_view(INFINITY, 0, 0)), ShapeError);
  CHECK_THROWS_AS(mix_noise(Tensor::zeros({4}, Dtype::i64), 1, {}, one_view(0.1, 0, 0)), ShapeError);
}

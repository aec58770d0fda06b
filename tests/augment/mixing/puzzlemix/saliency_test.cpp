// Saliency of pixels: lengths of gradients, also of tiny ones.
#include "augment/mixing/puzzlemix/saliency.h"

#include <cmath>

#include "engine/ops/random.h"
#include "tests/check_op.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("saliency is the root of the mean square over channels") {
  const Tensor gradient = random_normal({2, 3, 4, 3}, Key(1), 0, 1, Dtype::f64);
  const Tensor saliency = saliency_of_gradient(gradient);
  REQUIRE(saliency.shape() == Shape{2, 3, 4});
  const auto g = values(gradient), s = values(saliency);
  for (std::size_t i = 0; i < s.size(); ++i)
    CHECK(s[i] ==
          doctest::Approx(std::sqrt(
              (g[3 * i] * g[3 * i] + g[3 * i + 1] * g[3 * i + 1] + g[3 * i + 2] * g[3 * i + 2]) / 3)));
}

TEST_CASE("gradients whose squares are less than any float keep their ratios; zeros stay zeros") {
  const Tensor saliency =
      saliency_of_gradient(Tensor::from(std::vector<float>{1e-30f, 3e-30f, 0, 0}, {2, 1, 2, 1}));
  const auto s = values(saliency);
  CHECK(s[0] == doctest::Approx(1e-30).epsilon(1e-6));
  CHECK(s[1] == doctest::Approx(3e-30).epsilon(1e-6));
  CHECK(s[2] == 0);
  CHECK(s[3] == 0);
}

TEST_CASE("saliency of a loss is that of its gradient, and parameters get none") {
  const Tensor x = random_normal({2, 2, 2, 3}, Key(2), 0, 1, Dtype::f64);
  Tensor w = random_normal({2, 2, 2, 3}, Key(3), 0, 1, Dtype::f64).set_requires_grad();
  const Tensor saliency = input_saliency([&](const Tensor& z) { return sum(mul(w, square(z))); }, x);
  CHECK_FALSE(w.grad().defined());
  CHECK_FALSE(saliency.tracks_grad());
  CHECK(relative_error(saliency, saliency_of_gradient(mul(mul(w.detach(), x), 2))) < 1e-14);
  CHECK_THROWS_AS(saliency_of_gradient(Tensor::zeros({2, 3})), ShapeError);
}

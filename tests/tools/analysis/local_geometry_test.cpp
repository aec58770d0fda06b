#include "tools/analysis/local_geometry.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <nlohmann/json.hpp>

#include "data/shapes.h"
#include "data/toy.h"
#include "engine/ops/concat.h"
#include "tests/check_op.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

/// Logits (w . x, 0): loss, gradient and Hessian are known.
class Halfplanes : public Model {
 public:
  std::vector<int> stages() const override { return {0}; }

 protected:
  Tensor forward(const Tensor& x, const Context&) override {
    const Tensor w = Tensor::from<float>({1.5f, -2.0f}, {2});
    const Tensor z = sum(mul(x, w), {1}, true);
    return concat({z, zeros_like(z)}, 1);
  }
};

/// Undoes the normalisation, so that what it computes is a function of the image in the unit range.
class UnitRange : public Model {
 public:
  explicit UnitRange(const Normalization& n) : n_(n) {}
  std::vector<int> stages() const override { return {0}; }

 protected:
  Tensor forward(const Tensor& x, const Context&) override {
    const Tensor scale = Tensor::from<float>({n_.stddev[0], n_.stddev[1], n_.stddev[2]}, {3});
    const Tensor shift = Tensor::from<float>({n_.mean[0], n_.mean[1], n_.mean[2]}, {3});
    const Tensor unit = add(mul(x, scale), shift);
    std::vector<Tensor> logits;
    for (int k = 0; k < 10; ++k) {
      const Tensor w = random_normal({x.dim(1), x.dim(2), 3}, Key(k), 0, 0.05);
      logits.push_back(sum(mul(square(unit), w), {1, 2, 3}));
    }
    return stack(logits, 1);
  }

 private:
  Normalization n_;
};

}  // namespace

TEST_CASE("local geometry of a model with a known Hessian") {
  Halfplanes model;
  const auto data = make_circles(5, false);
  GeometryOptions options;
  options.radii = {1e-3, 1};
  options.samples = 60;
  const Geometry geometry = local_geometry(model, data, {}, options);
  double loss = 0, slope = 0, curvature = 0, correct = 0;
  const double length = 2.5 * 2.5;
  for (std::int64_t i = 0; i < data->size(); ++i) {
    const Example example = data->get(i);
    const double z =
        1.5 * static_cast<double>(example.features[0]) - 2 * static_cast<double>(example.features[1]);
    const double margin = example.label == 0 ? z : -z, s = 1 / (1 + std::exp(margin)), n = 200;
    loss += std::log1p(std::exp(-margin)) / n;
    slope += s * 2.5 / n;
    curvature += s * (1 - s) * length * s * (1 - s) * length / n;
    correct += (margin > 0) / n;
  }
  CHECK(geometry.examples == 200);
  CHECK(geometry.loss == doctest::Approx(loss).epsilon(1e-5));
  CHECK(geometry.accuracy == doctest::Approx(correct));
  CHECK(geometry.gradient_norm == doctest::Approx(slope).epsilon(1e-5));
  CHECK(geometry.curvature == doctest::Approx(curvature).epsilon(0.05));
  // In the plane a random direction meets the gradient with a mean |cosine| of 2 / pi.
  REQUIRE(geometry.points.size() == 2);
  CHECK(geometry.points[0].loss_change / geometry.gradient_term(geometry.points[0]) ==
        doctest::Approx(2 / std::numbers::pi).epsilon(0.1));
  CHECK(geometry.points[1].loss_change > 100 * geometry.points[0].loss_change);
  CHECK(geometry.curvature_term(geometry.points[1]) == doctest::Approx(geometry.curvature / 2));
}

TEST_CASE("local geometry: the code's curvature differs by known factors") {
  Halfplanes model;
  const auto data = make_circles(5, false);
  GeometryOptions options;
  options.radii = {1};
  options.batch = 50;
  options.eta = 0.01;
  const double ours = local_geometry(model, data, {}, options).curvature;
  options.curvature = CurvatureForm::code;
  const double codes = local_geometry(model, data, {}, options).curvature;
  CHECK(codes / ours == doctest::Approx(2 * 0.01 / (50 * 50 * 2)).epsilon(1e-4));
  options.eta = 0;
  CHECK(options.used_eta() == 1e-6);
}

TEST_CASE("local geometry is that of the unit range, whatever the normalisation and the batch") {
  const std::shared_ptr<const Dataset> data = make_subset(make_shapes(1, false), 7);
  const Normalization half, other{{0.4f, 0.3f, 0.2f}, {0.2f, 0.4f, 0.8f}};
  GeometryOptions options;
  options.radii = {0.1, 3};
  options.samples = 2;
  UnitRange a(half), b(other);
  const Geometry x = local_geometry(a, data, half, options);
  options.batch = 3;
  std::int64_t heard = 0;
  const Geometry y = local_geometry(b, data, other, options, [&](std::int64_t done, std::int64_t total) {
    heard = done;
    CHECK(total == 7);
  });
  CHECK(heard == 7);
  CHECK(x.gradient_norm > 0.1);
  CHECK(y.loss == doctest::Approx(x.loss).epsilon(1e-4));
  CHECK(y.gradient_norm == doctest::Approx(x.gradient_norm).epsilon(1e-4));
  CHECK(y.curvature == doctest::Approx(x.curvature).epsilon(1e-2));
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(y.points[i].loss_change == doctest::Approx(x.points[i].loss_change).epsilon(1e-2));
    CHECK(y.points[i].accuracy == x.points[i].accuracy);
  }
}

TEST_CASE("local geometry: files and errors") {
  Halfplanes model;
  const auto data = make_circles(5, false);
  GeometryOptions options;
  CHECK(options.radii.size() == 16);
  CHECK(options.radii.front() == doctest::Approx(0.01));
  CHECK(options.radii.back() == doctest::Approx(10));
  Geometry geometry = local_geometry(model, data, {}, options);
  geometry.run = "runs/a \"b\"";
  geometry.title = "A & B";
  const auto json = nlohmann::json::parse(geometry_json(options, {geometry, geometry}));
  CHECK(json["runs"].size() == 2);
  CHECK(json["runs"][0]["radii"].size() == 16);
  const std::string csv = geometry_csv({geometry});
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 17);
  CHECK(csv.find("\"runs/a \"\"b\"\"\",0.01,") != std::string::npos);
  CHECK(geometry_svg({geometry}).find("A &amp; B") != std::string::npos);
  options.radii = {0.5, -1};
  CHECK_THROWS_WITH_AS(local_geometry(model, data, {}, options), "[geometry] radii must be positive, got -1",
                       ConfigError);
  options.radii = {};
  CHECK_THROWS_AS(local_geometry(model, data, {}, options), ConfigError);
}

#include "augment/augmix.h"

#include <array>
#include <cmath>
#include <set>
#include <string>

#include "augment/image_ops.h"
#include "augment/normalize.h"
#include "engine/error.h"
#include "engine/io/safetensors.h"
#include "tests/augment/images.h"
#include "tests/golden.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

Operation operation_named(const std::string& name) {
  for (int i = 0; i < kAllOperations; ++i)
    if (name == name_of(static_cast<Operation>(i))) return static_cast<Operation>(i);
  FAIL("unknown operation " << name);
  return Operation::autocontrast;
}

/// The draws of a case, and a check that levels and signs lead to the parameters of the reference.
AugMixDraw draw_of(const nlohmann::json& c) {
  AugMixDraw draw;
  draw.weights = c.at("weights_float32").get<std::vector<double>>();
  draw.skip = c.at("m_float32").get<double>();
  for (const auto& chain : c.at("chains")) {
    draw.chains.emplace_back();
    for (const auto& op : chain) {
      ChainStep step;
      step.operation = operation_named(op.at("op").get<std::string>());
      step.level = op.value("level_draw", 0.1);
      step.negated = op.value("sign_draw", 0.0) > 0.5;
      if (op.contains("param")) CHECK(step_parameter(step, 32) == op.at("param").get<double>());
      draw.chains.back().push_back(step);
    }
  }
  return draw;
}

/// Many draws of one set of options.
template <typename Visit>
void for_draws(const AugMixOptions& options, int count, const Visit& visit) {
  AugMixDraw draw;
  for (int i = 0; i < count; ++i) {
    draw_augmix(options, Key(31).child(i), draw);
    visit(draw);
  }
}

std::vector<float> augmented(const Image& image, Key key, const AugMixOptions& options) {
  std::vector<float> out(image.pixels.size());
  augmix(image, key, options, {}, out.data());
  return out;
}

}  // namespace

TEST_CASE("replaying the reference's draws gives its chains exactly and its mixture to rounding") {
  const auto bundle = read_safetensors(fixture_path("augmix/augmix.safetensors"));
  const auto manifest = read_json(fixture_path("augmix/manifest.json"));
  for (const auto& c : manifest.at("cases")) {
    const auto name = c.at("name").get<std::string>();
    const Tensor& input = bundle.at(name + "/input");
    const Image image = image_of(input.reshape({1, 32, 32, 3}), 0);
    const AugMixDraw draw = draw_of(c);
    for (std::size_t i = 0; i < draw.chains.size(); ++i) {
      Image result, spare;
      run_chain(image, draw.chains[i], result, spare);
      const Tensor& chain = bundle.at(name + "/chain" + std::to_string(i));
      CHECK_MESSAGE(result == image_of(chain.reshape({1, 32, 32, 3}), 0), name, " chain ", i);
    }
    std::vector<float> out(image.pixels.size());
    augmix(image, draw, {}, out.data());
    const auto expected = bundle.at(name + "/output").to_vector<float>();  // [3, 32, 32]
    double worst = 0;
    for (std::size_t p = 0; p < 1024; ++p)
      for (std::size_t k = 0; k < 3; ++k)
        worst = std::fmax(worst, std::abs(out[3 * p + k] - expected[1024 * k + p]));
    CHECK_MESSAGE(worst < 2e-6, name, ": ", worst);
  }
}

TEST_CASE("depths, operations, levels and signs are uniform") {
  AugMixOptions options;
  std::array<int, 4> depths{};
  std::array<int, kAllOperations> operations{};
  int steps = 0, negated = 0;
  double level = 0, level_squared = 0;
  for_draws(options, 20000, [&](const AugMixDraw& draw) {
    CHECK(draw.chains.size() == 3);
    for (const auto& chain : draw.chains) {
      ++depths.at(chain.size());
      for (const ChainStep& step : chain) {
        ++operations[static_cast<std::size_t>(step.operation)];
        ++steps;
        negated += step.negated;
        level += step.level;
        level_squared += step.level * step.level;
      }
    }
  });
  for (std::size_t d = 1; d <= 3; ++d) CHECK(depths[d] == doctest::Approx(20000).epsilon(0.02));
  for (std::size_t o = 0; o < kOperations; ++o)
    CHECK(operations[o] == doctest::Approx(steps / 9.0).epsilon(0.04));
  for (std::size_t o = kOperations; o < kAllOperations; ++o) CHECK(operations[o] == 0);
  CHECK(negated == doctest::Approx(steps / 2.0).epsilon(0.02));
  CHECK(level / steps == doctest::Approx(1.55).epsilon(0.01));
  CHECK(level_squared / steps - std::pow(level / steps, 2) == doctest::Approx(2.9 * 2.9 / 12).epsilon(0.02));

  options.all_operations = true;
  options.depth = 2;
  options.width = 5;
  std::set<Operation> seen;
  for_draws(options, 200, [&](const AugMixDraw& draw) {
    CHECK(draw.chains.size() == 5);
    for (const auto& chain : draw.chains) {
      CHECK(chain.size() == 2);
      for (const ChainStep& step : chain) seen.insert(step.operation);
    }
  });
  CHECK(seen.size() == kAllOperations);
}

TEST_CASE("weights are Dirichlet, the skip weight is Beta") {
  AugMixOptions options;
  for (const double alpha : {1.0, 0.3}) {
    options.alpha = alpha;
    std::array<double, 3> mean{};
    double square = 0, skip = 0, skip_square = 0;
    const int n = 20000;
    for_draws(options, n, [&](const AugMixDraw& draw) {
      CHECK(draw.weights[0] + draw.weights[1] + draw.weights[2] == doctest::Approx(1));
      for (std::size_t i = 0; i < 3; ++i) mean[i] += draw.weights[i] / n;
      square += draw.weights[0] * draw.weights[0] / n;
      skip += draw.skip / n;
      skip_square += draw.skip * draw.skip / n;
    });
    for (const double m : mean) CHECK(m == doctest::Approx(1.0 / 3).epsilon(0.03));
    CHECK(square == doctest::Approx((alpha + 1) / 3 / (3 * alpha + 1)).epsilon(0.04));  // E w^2 of Dirichlet
    CHECK(skip == doctest::Approx(0.5).epsilon(0.03));
    CHECK(skip_square == doctest::Approx((alpha + 1) / (2 * (2 * alpha + 1))).epsilon(0.04));
  }
}

TEST_CASE("parameters at severity 3") {
  std::array<int, 9> bits{};
  int posterized = 0;
  for_draws({}, 20000, [&](const AugMixDraw& draw) {
    for (const auto& chain : draw.chains) {
      for (const ChainStep& step : chain) {
        const double value = step_parameter(step, 32), size = std::abs(value);
        switch (step.operation) {
          case Operation::posterize:
            ++posterized, ++bits.at(static_cast<std::size_t>(value));
            break;
          case Operation::rotate:
            CHECK((size <= 9 && size == std::floor(size)));
            break;
          case Operation::solarize:
            CHECK((value >= 180 && value <= 254));
            break;
          case Operation::shear_x:
          case Operation::shear_y:
            CHECK((size >= 0.003 && size <= 0.09));
            break;
          case Operation::translate_x:
          case Operation::translate_y:
            CHECK((size <= 3 && size == std::floor(size)));
            break;
          default:
            CHECK(value == 0);
        }
        CHECK((value >= 0 || step.negated));
      }
    }
  });
  CHECK(static_cast<double>(bits[4]) / posterized == doctest::Approx(2.4 / 2.9).epsilon(0.02));
  CHECK(static_cast<double>(bits[3]) / posterized == doctest::Approx(0.5 / 2.9).epsilon(0.1));
  CHECK(step_parameter({Operation::color, 3.0, true}, 32) == doctest::Approx(0.64));
}

TEST_CASE("random severity covers 1..10") {
  AugMixOptions options;
  options.random_severity = true;
  double highest = 0, sum = 0;
  int steps = 0;
  for_draws(options, 4000, [&](const AugMixDraw& draw) {
    for (const auto& chain : draw.chains)
      for (const ChainStep& step : chain) {
        highest = std::fmax(highest, step.level);
        sum += step.level;
        ++steps;
      }
  });
  CHECK(highest > 9.9);
  CHECK(sum / steps == doctest::Approx(0.5 * (0.1 + 5.5)).epsilon(0.02));
}

TEST_CASE("the mixture is a pure function of image, key and options") {
  const Image image = smooth_image(32, 32, 3, Key(4)), other = random_image(28, 30, 3, Key(5));
  const auto first = augmented(image, Key(1), {});
  augmented(other, Key(2), {});  // other sizes in the scratch memory in between
  CHECK(augmented(image, Key(1), {}) == first);
  CHECK(augmented(image, Key(2), {}) != first);
  const Image grey = smooth_image(28, 28, 1, Key(6));
  CHECK(augmented(grey, Key(1), {}) == augmented(grey, Key(1), {}));
}

TEST_CASE("widths other than three mix the same way") {
  const Image image = smooth_image(32, 32, 3, Key(4));
  const Normalization normalization{{0.4f, 0.5f, 0.6f}, {0.2f, 0.25f, 0.3f}};
  for (const int width : {1, 2, 3, 5}) {
    AugMixOptions options;
    options.width = width;
    AugMixDraw draw;
    draw_augmix(options, Key(9), draw);
    std::vector<float> out(image.pixels.size());
    augmix(image, draw, normalization, out.data());
    std::vector<double> mixed(image.pixels.size());
    for (std::size_t i = 0; i < mixed.size(); ++i) mixed[i] = (1 - draw.skip) * image.pixels[i];
    for (std::size_t c = 0; c < draw.chains.size(); ++c) {
      Image result, spare;
      run_chain(image, draw.chains[c], result, spare);
      for (std::size_t i = 0; i < mixed.size(); ++i)
        mixed[i] += draw.skip * draw.weights[c] * result.pixels[i];
    }
    double worst = 0;
    for (std::size_t i = 0; i < mixed.size(); ++i) {
      const double want = (mixed[i] / 255 - normalization.mean[i % 3]) / normalization.stddev[i % 3];
      worst = std::fmax(worst, std::abs(out[i] - want));
    }
    CHECK(worst < 2e-6);
  }
}

TEST_CASE("wrong options are named") {
  CHECK_NOTHROW(check_augmix({}));
  const auto rejected = [](auto change) {
    AugMixOptions options;
    change(options);
    CHECK_THROWS_AS(check_augmix(options), ConfigError);
  };
  rejected([](AugMixOptions& o) { o.severity = 0; });
  rejected([](AugMixOptions& o) { o.severity = 11; });
  rejected([](AugMixOptions& o) { o.width = 0; });
  rejected([](AugMixOptions& o) { o.depth = 0; });
  rejected([](AugMixOptions& o) { o.alpha = 0; });
}

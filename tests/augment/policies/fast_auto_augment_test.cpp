#include "augment/policies/fast_auto_augment.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/error.h"

using namespace noisymix;

TEST_CASE("fast auto augment: what a level becomes") {
  using enum PolicyOperation;
  const auto step = [](PolicyOperation operation, double level) {
    return fast_auto_augment_step(operation, 0.25, level);
  };
  struct Signed {
    PolicyOperation operation;
    double most;
  };
  for (const Signed s : {Signed{shear_x, 0.3}, Signed{shear_y, 0.3}, Signed{translate_x, 0.45},
                         Signed{translate_y, 0.45}, Signed{rotate, 30}}) {
    CHECK(step(s.operation, 0).swing == doctest::Approx(-s.most));
    CHECK(step(s.operation, 0.5).swing == doctest::Approx(0));
    CHECK(step(s.operation, 0.75).swing == doctest::Approx(s.most / 2));
    CHECK(step(s.operation, 1).centre == 0);
  }
  for (const PolicyOperation blend : {contrast, color, brightness, sharpness}) {
    CHECK(step(blend, 0).centre == doctest::Approx(0.1));
    CHECK(step(blend, 1).centre == doctest::Approx(1.9));
    CHECK(step(blend, 0.5).swing == 0);
  }
  CHECK(step(solarize, 0.25).centre == 64);
  CHECK(step(posterize, 0).centre == 4);
  CHECK(step(posterize, 0.74).centre == 6);
  CHECK(step(posterize, 0.75).centre == 7);
  CHECK(step(posterize, 1).centre == 8);
  CHECK(step(cutout, 1).centre == doctest::Approx(0.2));
  CHECK(step(invert, 0.7).centre == 0);
  CHECK(step(invert, 0.7).probability == 0.25);
  for (int i = 0; i < kPolicyOperations; ++i)
    for (const double level : {0.0, 0.3, 1.0})
      CHECK_NOTHROW(check_policy({{step(static_cast<PolicyOperation>(i), level)}}));
  for (const double level : {-0.1, 1.1, static_cast<double>(NAN)})
    CHECK_THROWS_AS(step(rotate, level), ConfigError);
}

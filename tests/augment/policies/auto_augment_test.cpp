#include "augment/policies/auto_augment.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "engine/error.h"

using namespace noisymix;

namespace {

/// "Inv .1 Con .2" with probabilities as they are stored: to compare a policy with its printed form.
std::string in_words(const SubPolicy& sub_policy) {
  std::string text;
  for (const PolicyStep& step : sub_policy)
    text += (text.empty() ? "" : " ") + std::string(name_of(step.operation)) + ' ' +
            std::to_string(std::lround(step.probability * 10));
  return text;
}

}  // namespace

TEST_CASE("auto augment: magnitudes of the ten bins") {
  using enum PolicyOperation;
  const auto step = [](PolicyOperation operation, int bin) { return auto_augment_step(operation, 0.5, bin); };
  CHECK(step(shear_x, 0).swing == 0);
  CHECK(step(shear_x, 9).swing == doctest::Approx(0.3));
  CHECK(step(shear_y, 3).swing == doctest::Approx(0.1));
  CHECK(step(translate_x, 9).swing == doctest::Approx(0.4531722));
  CHECK(step(translate_y, 6).swing == doctest::Approx(0.3021148));
  CHECK(step(rotate, 2).swing == doctest::Approx(6.666667));
  CHECK(step(rotate, 2).centre == 0);
  for (const PolicyOperation blend : {contrast, color, brightness, sharpness}) {
    CHECK(step(blend, 7).centre == 1);
    CHECK(step(blend, 7).swing == doctest::Approx(0.7));
    CHECK(step(blend, 0).swing == 0);
  }
  CHECK(step(solarize, 0).centre == 255);
  CHECK(step(solarize, 9).centre == doctest::Approx(0));
  CHECK(step(solarize, 3).centre == doctest::Approx(170));
  const int bits[] = {8, 8, 7, 7, 6, 6, 5, 5, 4, 4};
  for (int bin = 0; bin < 10; ++bin) {
    CHECK(step(posterize, bin).centre == bits[bin]);
    CHECK(step(posterize, bin).swing == 0);
    CHECK(step(equalize, bin).centre == 0);
  }
  CHECK_THROWS_AS(step(rotate, 10), ConfigError);
  CHECK_THROWS_AS(step(rotate, -1), ConfigError);
  CHECK_THROWS_AS(step(cutout, 1), ConfigError);
}

TEST_CASE("auto augment: the two published policies") {
  for (const Policy& policy : {cifar_auto_augment(), imagenet_auto_augment()}) {
    CHECK(policy.size() == 25);
    CHECK_NOTHROW(check_policy(policy));
    for (const SubPolicy& sub_policy : policy) CHECK(sub_policy.size() == 2);
  }
  const Policy cifar = cifar_auto_augment(), imagenet = imagenet_auto_augment();
  CHECK(in_words(cifar[0]) == "Invert 1 Contrast 2");
  CHECK(in_words(cifar[5]) == "ShearY 2 Posterize 3");
  CHECK(cifar[5][1].centre == 5);
  CHECK(in_words(cifar[13]) == "Brightness 9 Color 2");
  CHECK(cifar[13][1].swing == doctest::Approx(0.8));
  CHECK(in_words(cifar[24]) == "TranslateY 7 AutoContrast 9");
  CHECK(in_words(imagenet[0]) == "Posterize 4 Rotate 6");
  CHECK(imagenet[0][1].swing == doctest::Approx(30));
  CHECK(in_words(imagenet[12]) == "Equalize 0 Equalize 8");
  CHECK(in_words(imagenet[18]) == "ShearX 6 Equalize 10");
  CHECK(in_words(imagenet[24]) == "Equalize 8 Equalize 6");
}

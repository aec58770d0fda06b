#include "augment/policies/auto_augment.h"

#include <cmath>
#include <span>

#include "engine/error.h"

namespace noisymix {
namespace {

constexpr int kBins = 10;

struct Entry {
  PolicyOperation operation;
  double probability;
  int bin;  // 0 for operations without a magnitude
};
using Pair = Entry[2];

Policy policy_of(std::span<const Pair> pairs) {
  Policy policy;
  for (const Pair& pair : pairs) {
    SubPolicy& steps = policy.emplace_back();
    for (const Entry& entry : pair)
      steps.push_back(auto_augment_step(entry.operation, entry.probability, entry.bin));
  }
  return policy;
}

}  // namespace

PolicyStep auto_augment_step(PolicyOperation operation, double probability, int bin) {
  NM_CHECK_AS(ConfigError, bin >= 0 && bin < kBins, "[auto_augment] magnitude bin ", bin, ", expected 0 to ",
              kBins - 1);
  NM_CHECK_AS(ConfigError, operation != PolicyOperation::cutout, "[auto_augment] knows no ",
              name_of(operation));
  PolicyStep step{operation, probability, 0, 0};
  const double share = bin / (kBins - 1.0);
  switch (operation) {
    case PolicyOperation::shear_x:
    case PolicyOperation::shear_y:
      step.swing = 0.3 * share;
      break;
    case PolicyOperation::translate_x:
    case PolicyOperation::translate_y:
      step.swing = 150.0 / 331 * share;
      break;
    case PolicyOperation::rotate:
      step.swing = 30 * share;
      break;
    case PolicyOperation::contrast:
    case PolicyOperation::color:
    case PolicyOperation::brightness:
    case PolicyOperation::sharpness:
      step.centre = 1;
      step.swing = 0.9 * share;
      break;
    case PolicyOperation::solarize:
      step.centre = 255 - 255 * share;
      break;
    case PolicyOperation::posterize:
      step.centre = 8 - std::round(bin / 2.25);
      break;
    case PolicyOperation::autocontrast:
    case PolicyOperation::invert:
    case PolicyOperation::equalize:
    case PolicyOperation::cutout:
      break;
  }
  return step;
}

Policy cifar_auto_augment() {
  using enum PolicyOperation;
  static constexpr Pair kPairs[] = {
      {{invert, 0.1, 0}, {contrast, 0.2, 6}},
      {{rotate, 0.7, 2}, {translate_x, 0.3, 9}},
      {{sharpness, 0.8, 1}, {sharpness, 0.9, 3}},
      {{shear_y, 0.5, 8}, {translate_y, 0.7, 9}},
      {{autocontrast, 0.5, 0}, {equalize, 0.9, 0}},
      {{shear_y, 0.2, 7}, {posterize, 0.3, 7}},
      {{color, 0.4, 3}, {brightness, 0.6, 7}},
      {{sharpness, 0.3, 9}, {brightness, 0.7, 9}},
      {{equalize, 0.6, 0}, {equalize, 0.5, 0}},
      {{contrast, 0.6, 7}, {sharpness, 0.6, 5}},
      {{color, 0.7, 7}, {translate_x, 0.5, 8}},
      {{equalize, 0.3, 0}, {autocontrast, 0.4, 0}},
      {{translate_y, 0.4, 3}, {sharpness, 0.2, 6}},
      {{brightness, 0.9, 6}, {color, 0.2, 8}},
      {{solarize, 0.5, 2}, {invert, 0, 0}},
      {{equalize, 0.2, 0}, {autocontrast, 0.6, 0}},
      {{equalize, 0.2, 0}, {equalize, 0.6, 0}},
      {{color, 0.9, 9}, {equalize, 0.6, 0}},
      {{autocontrast, 0.8, 0}, {solarize, 0.2, 8}},
      {{brightness, 0.1, 3}, {color, 0.7, 0}},
      {{solarize, 0.4, 5}, {autocontrast, 0.9, 0}},
      {{translate_y, 0.9, 9}, {translate_y, 0.7, 9}},
      {{autocontrast, 0.9, 0}, {solarize, 0.8, 3}},
      {{equalize, 0.8, 0}, {invert, 0.1, 0}},
      {{translate_y, 0.7, 9}, {autocontrast, 0.9, 0}},
  };
  return policy_of(kPairs);
}

Policy imagenet_auto_augment() {
  using enum PolicyOperation;
  static constexpr Pair kPairs[] = {
      {{posterize, 0.4, 8}, {rotate, 0.6, 9}},  {{solarize, 0.6, 5}, {autocontrast, 0.6, 0}},
      {{equalize, 0.8, 0}, {equalize, 0.6, 0}}, {{posterize, 0.6, 7}, {posterize, 0.6, 6}},
      {{equalize, 0.4, 0}, {solarize, 0.2, 4}}, {{equalize, 0.4, 0}, {rotate, 0.8, 8}},
      {{solarize, 0.6, 3}, {equalize, 0.6, 0}}, {{posterize, 0.8, 5}, {equalize, 1, 0}},
      {{rotate, 0.2, 3}, {solarize, 0.6, 8}},   {{equalize, 0.6, 0}, {posterize, 0.4, 6}},
      {{rotate, 0.8, 8}, {color, 0.4, 0}},      {{rotate, 0.4, 9}, {equalize, 0.6, 0}},
      {{equalize, 0, 0}, {equalize, 0.8, 0}},   {{invert, 0.6, 0}, {equalize, 1, 0}},
      {{color, 0.6, 4}, {contrast, 1, 8}},      {{rotate, 0.8, 8}, {color, 1, 2}},
      {{color, 0.8, 8}, {solarize, 0.8, 7}},    {{sharpness, 0.4, 7}, {invert, 0.6, 0}},
      {{shear_x, 0.6, 5}, {equalize, 1, 0}},    {{color, 0.4, 0}, {equalize, 0.6, 0}},
      {{equalize, 0.4, 0}, {solarize, 0.2, 4}}, {{solarize, 0.6, 5}, {autocontrast, 0.6, 0}},
      {{invert, 0.6, 0}, {equalize, 1, 0}},     {{color, 0.6, 4}, {contrast, 1, 8}},
      {{equalize, 0.8, 0}, {equalize, 0.6, 0}},
  };
  return policy_of(kPairs);
}

}  // namespace noisymix

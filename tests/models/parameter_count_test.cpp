// The table of parameter counts of the networks that the three papers use.
#include <doctest/doctest.h>

#include "models/registry.h"

using namespace noisymix;

namespace {

struct Row {
  const char* model;
  int classes;
  std::int64_t count;
  ModelOptions options = {};
};

ModelOptions wide(int depth, double width) {
  ModelOptions options;
  options.depth = depth;
  options.width = width;
  return options;
}

ModelOptions width(double factor) {
  return wide(0, factor);
}

ModelOptions growth(int channels) {
  ModelOptions options;
  options.growth = channels;
  return options;
}

ModelOptions stem(const char* kind) {
  ModelOptions options;
  options.stem = kind;
  return options;
}

const Row kRows[] = {
    {"preactresnet18", 10, 11171146},
    {"preactresnet18", 100, 11217316},
    {"preactresnet18", 200, 11268616},
    {"preactwideresnet18", 10, 44657290},
    {"preactwideresnet18", 100, 44749540},
    {"preactresnet18", 10, 279005770, width(5)},
    {"preactresnet18", 100, 279236260, width(5)},
    {"wrn28-2", 10, 1469642},
    {"wrn28-2", 100, 1481252},
    {"wrn28-4", 10, 5853098},
    {"wrn28-4", 100, 5876228},
    {"wrn28-10", 10, 36489290},
    {"wrn28-10", 100, 36546980},
    {"wrn40-2-augmix", 10, 2243546},
    {"wrn40-2-augmix", 100, 2255156},
    {"wrn-augmix", 10, 1467610, wide(28, 2)},
    {"wrn-augmix", 100, 1479220, wide(28, 2)},
    {"wrn-augmix", 10, 5849050, wide(28, 4)},
    {"wrn-augmix", 100, 5872180, wide(28, 4)},
    {"resnet18-cifar", 10, 11173962},
    {"resnet18-cifar", 100, 11220132},
    {"resnet18-cifar", 200, 11279112, stem("7x7")},
    {"wide-resnet18", 10, 279019850},
    {"wide-resnet18", 100, 279250340},
    {"densenet121-cifar", 10, 1000618},
    {"densenet121-cifar", 100, 1035268},
    {"densenet121-cifar", 200, 1073768},
    {"densenet121-cifar", 10, 6956298, growth(32)},
    {"densenet121-cifar", 100, 7048548, growth(32)},
    {"densenet121-cifar", 200, 7151048, growth(32)},
    {"densenet121", 10, 6964106},
    {"densenet121", 100, 7056356},
    {"densenet121", 1000, 7978856},
    {"resnet50", 10, 23528522},
    {"resnet50", 100, 23712932},
    {"resnet50", 1000, 25557032},
    {"resnet18", 10, 11181642},
    {"resnet18", 100, 11227812},
    {"resnet18", 1000, 11689512},
    {"vit-lite", 10, 3716874},
    {"vit-lite", 100, 3740004},
    {"allconv", 10, 1409674},
    {"allconv", 100, 1427044},
    {"densenet40", 10, 1059298},
    {"densenet40", 100, 1100428},
    {"resnext29", 10, 6807882},
    {"resnext29", 100, 6900132},
    {"alexnet", 10, 57044810},
    {"alexnet", 100, 57413540},
    {"alexnet", 1000, 61100840},
    {"toy-noisymix", 2, 2 * 32 + 32 + 32 * 2 + 2},
    {"toy-nfm", 2, 2 * 32 + 32 + 2 * (32 * 32 + 32) + 32 * 2 + 2},
};

}  // namespace

TEST_CASE("parameter counts are those of the published networks") {
  for (const Row& row : kRows) {
    CAPTURE(row.model);
    CAPTURE(row.classes);
    ModelOptions options = row.options;
    options.classes = row.classes;
    CHECK(make_blank_model(row.model, options)->parameter_count() == row.count);
  }
}

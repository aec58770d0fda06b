// From shared model options to each network, for the table in registry.cpp.
#pragma once

#include <cstdint>
#include <memory>

#include "models/registry.h"

namespace noisymix::builders {

using ModelPointer = std::unique_ptr<Model>;

// Weights are zeros. `width`, `depth` and `growth` are a model's defaults; options that are given win.
// ConfigError for values a network cannot have.
ModelPointer preact_resnet(const ModelOptions& options, double width);
ModelPointer wide_resnet(const ModelOptions& options, std::int64_t depth, double width);
ModelPointer augmix_wide_resnet(const ModelOptions& options, std::int64_t depth, double width);
ModelPointer resnet18_cifar(const ModelOptions& options, double width);
ModelPointer resnet18(const ModelOptions& options);
ModelPointer resnet50(const ModelOptions& options);
ModelPointer resnext29(const ModelOptions& options);
ModelPointer densenet121_cifar(const ModelOptions& options);
ModelPointer densenet121(const ModelOptions& options);
ModelPointer densenet40(const ModelOptions& options);
ModelPointer vit_lite(const ModelOptions& options);
ModelPointer allconv(const ModelOptions& options);
ModelPointer alexnet(const ModelOptions& options);
ModelPointer toy_mlp(const ModelOptions& options, std::int64_t hidden_layers, int mix_layers);

}  // namespace noisymix::builders

// Classification against mixed labels in the forms that the fused op of plain training does not have: a share
// of its own for each example, and binary cross-entropy.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/ops/view_loss.h"

namespace noisymix {

/// What became of the labels: lambda y + (1 - lambda) y[permutation], or with shares r_i y_i + (1 - r_i)
/// y[permutation]_i.
struct MixedLabels {
  double lambda = 1;
  std::vector<double> shares{};
  std::vector<std::int64_t> permutation{};
};

/// As view_loss(), whose options apply except for lambda and permutation, which `mixed` replaces. Only the
/// first view may be counted.
ViewLoss label_loss(const Tensor& logits, const Tensor& labels, const MixedLabels& mixed,
                    const ViewLossOptions& options, bool binary);

}  // namespace noisymix

// Second-order check of the NFM loss: how far the loss that training minimises is the ordinary loss plus
// three regularisers, epoch by epoch, on concentric circles (NFM paper, figure 7).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tools/analysis/nfm_loss.h"

namespace noisymix {

struct SecondOrderOptions {
  int epochs = 100;
  std::int64_t batch = 50;
  double learning_rate = 0.1;  ///< of Adam
  std::int64_t units = 32;     ///< of the hidden layer
  ActivationKind activation = ActivationKind::relu;
  NfmLaw law;
  int draws = 64;           ///< for each pair of points
  std::int64_t points = 0;  ///< train and test together; 0 means 500
  std::uint64_t seed = 0;   ///< of everything: data, weights, training, sampling
};

/// Both sides on one split.
struct SecondOrderPoint {
  SampledLoss exact;
  NfmExpansion expansion;
};

struct SecondOrderEpoch {
  int epoch = 0;  ///< epochs trained; 0 is the network as initialised
  SecondOrderPoint train, test;
};

/// Trains a network 2 -> units -> 1 with the stochastic NFM loss, mixing and noise at the input, and compares
/// both sides before the first epoch and after each. `progress` (may be empty) hears every result.
std::vector<SecondOrderEpoch> second_order_check(
    const SecondOrderOptions& options, const std::function<void(const SecondOrderEpoch&)>& progress = {});

std::string second_order_json(const SecondOrderOptions& options, const std::vector<SecondOrderEpoch>& epochs);
/// A line per epoch and split.
std::string second_order_csv(const std::vector<SecondOrderEpoch>& epochs);
/// Exact loss, expansion and ordinary loss over the epochs, one panel per split.
std::string second_order_svg(const std::vector<SecondOrderEpoch>& epochs);

/// |exact - expansion| over the epochs and both splits.
struct SecondOrderGap {
  double mean = 0, largest = 0;
  double mean_relative = 0;  ///< to the exact loss
};
SecondOrderGap second_order_gap(const std::vector<SecondOrderEpoch>& epochs);

}  // namespace noisymix

// Transfer learning: a network that starts from trained weights, with a new last layer and frozen stages.
#pragma once

#include "tools/checkpoint.h"
#include "tools/config.h"

namespace noisymix {

/// Makes a freshly drawn network, already on its device, start from config.weights and holds its frozen
/// stages still: their parameters require no gradient, so that the backward pass ends behind them, and with
/// freeze_statistics their batch norms keep their running statistics. Returns the parameters to train, in
/// the order of the state; without config.weights those are all and nothing happens. With `load` false the
/// weights are not read: a checkpoint is about to provide them. Throws ConfigError for a stage or last layer
/// that the network does not have and for weights made with other options, DataError with everything that
/// does not fit.
Module::Named begin_transfer(const TransferConfig& config, const ModelCard& card, Model& model, bool load);

}  // namespace noisymix

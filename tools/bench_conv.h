// Speed of a network's convolutions alone: `noisymix bench conv`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace noisymix {

struct BenchConvOptions {
  std::int64_t images = 384;
  std::string dtype = "f32";  ///< of the activations; weights are f32
  double width = 1;           ///< times the channels of PreActResNet-18
  int repeats = 5;
  int threads = 0;  ///< 0 leaves the pool as it is
};

/// Median seconds of one layer's passes; `input_gradient` is 0 for the first layer, which needs none.
struct ConvLayerTimes {
  std::string name;
  int count = 1;  ///< how often the network has it
  double flops = 0;
  double forward = 0, input_gradient = 0, weight_gradient = 0;
};

struct BenchConvResult {
  std::string dtype;
  std::int64_t images = 0;
  std::vector<ConvLayerTimes> layers;
  double seconds = 0;  ///< all layers as often as the network has them
  double flops = 0;
};

BenchConvResult bench_conv(const BenchConvOptions& options);
/// One line without, and a table with newlines.
std::string to_json(const BenchConvResult& result);
std::string to_text(const BenchConvResult& result);

}  // namespace noisymix

// Variants of a test set: each is one cell of the result, and says what becomes of an example.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "data/dataset.h"
#include "engine/tensor.h"
#include "tools/checkpoint.h"
#include "tools/evaluation/results.h"
#include "tools/evaluation/suites.h"

namespace noisymix {

/// One variant. Exactly one of the two functions is set, or none for the clean set.
struct Variant {
  Cell place;                 ///< suite, type, severity and level
  std::int64_t examples = 0;  ///< of the test set, from its first one
  double passes = 1;          ///< cost of an example in forward passes, for the progress display
  /// The 8-bit image before normalisation, from the clean one or from a file. Thread-safe.
  std::function<void(const Image& clean, std::int64_t index, Scratch& scratch, Image& out)> corrupt{};
  /// The normalised batch [n, ...] whose first row is example `first`. May use the model (attacks).
  std::function<Tensor(const Tensor& x, const Tensor& labels, const LoadedRun& run, std::int64_t first)>
      perturb{};
};

/// Every cell of the options' suites for a test set of images, or of points (which know no corruptions;
/// asking for them throws ConfigError).
std::vector<Variant> make_variants(const EvaluateOptions& options, const Dataset& data);

/// The cells of a folder of corrupted images in the published layout instead of images corrupted here.
std::vector<Variant> make_published_variants(const EvaluateOptions& options, const Dataset& clean,
                                             const std::filesystem::path& folder);

}  // namespace noisymix

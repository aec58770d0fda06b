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

/// One variant. At most one of the two functions is set; neither for the clean set and for sets from files.
struct Variant {
  Cell place;                 ///< suite, type, severity and level
  std::int64_t examples = 0;  ///< of the test set, from its first one
  double passes = 1;          ///< cost of an example in forward passes, for the progress display
  /// Examples to take instead of those of the test set.
  std::shared_ptr<const Dataset> data{};
  /// Columns of the logits that stand for the classes of `data`; empty means all.
  std::vector<std::int64_t> classes{};
  /// The 8-bit image before normalisation. Thread-safe.
  std::function<void(const Image& clean, std::int64_t index, Scratch& scratch, Image& out)> corrupt{};
  /// The normalised batch [n, ...] whose first row is example `first`. May use the model (attacks).
  std::function<Tensor(const Tensor& x, const Tensor& labels, const LoadedRun& run, std::int64_t first)>
      perturb{};
};

/// Every cell of the options' suites for a test set of images, or of points (which know no corruptions;
/// asking for them throws ConfigError).
std::vector<Variant> make_variants(const EvaluateOptions& options, const Dataset& data);

/// The cells of a published corrupted set, whose pictures come from files: a folder of TYPE.npy and
/// labels.npy, made of the test set `data` or of `whole`, of which `data` is the beginning, and checked
/// against it; or a tree TYPE/SEVERITY/CLASS/FILE. As many examples as `data` has (all of a tree). The clean
/// set comes first.
std::vector<Variant> make_published_variants(const EvaluateOptions& options, const Dataset& data,
                                             const Dataset& whole, const std::filesystem::path& folder);

/// One cell for a tree CLASS/FILE of other pictures of some of the model's classes, such as ImageNet-R; only
/// those classes count. suite "renditions", the folder's name as type.
Variant make_renditions_variant(const EvaluateOptions& options, const Dataset& clean,
                                const std::filesystem::path& folder);

}  // namespace noisymix

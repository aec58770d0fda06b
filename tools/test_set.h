// The test examples that go with a trained model.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "tools/checkpoint.h"

namespace noisymix {

/// A limit that also overrules the run's own.
inline constexpr std::int64_t kWholeSet = -1;

/// What the command line says about test data; empty and 0 leave the run's own choice.
struct TestSetOptions {
  std::string dataset;     ///< name of another data set
  std::string path;        ///< folder of its files
  std::int64_t limit = 0;  ///< first examples only; 0 leaves the run's choice
};

/// The test split of the run's data set, or of another one. Throws ConfigError when the model cannot take its
/// samples or knows another number of classes.
std::shared_ptr<const Dataset> open_test_set(const LoadedRun& run, const TestSetOptions& options);

/// The one test set of several runs (folders or weight files). Throws ConfigError, naming two runs, when they
/// were tested on different ones.
std::shared_ptr<const Dataset> open_common_test_set(const std::vector<std::string>& runs,
                                                    const TestSetOptions& options);

}  // namespace noisymix

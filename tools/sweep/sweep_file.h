// The file of a sweep: which configurations to train with which seeds, how to evaluate them, and what the
// papers print.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/config.h"
#include "tools/evaluation/suites.h"

namespace noisymix {

/// How every run of a sweep is evaluated.
struct SweepEvaluation {
  EvaluateOptions options;      ///< `parameters` is set per test set, see resolved_options()
  std::string constants;        ///< name of a parameter set; empty: by the size of the images
  std::int64_t test_limit = 0;  ///< first examples only; 0 leaves the configuration's choice
};

/// One line of the table: a configuration, trained once per seed.
struct SweepRow {
  std::string label;
  std::string group;   ///< rows of one group are compared with each other; may be empty
  std::string folder;  ///< its runs are FOLDER-seedN
  Config config;       ///< with all overrides; train.seed comes from the sweep
  std::vector<std::pair<std::string, double>> paper;  ///< published numbers: column, value as printed
};

struct Sweep {
  std::string name;  ///< of the file, without folder and extension
  std::string title;
  std::vector<std::uint64_t> seeds;
  SweepEvaluation evaluation;
  std::vector<std::string> columns;  ///< of the table; empty: default_columns()
  std::vector<SweepRow> rows;
};

/// Reads a sweep and the configurations it names, applying its "set" lists and then `overrides`
/// ("section.key=value"). `name` stands for the file in messages, `folder` is where paths of configurations
/// begin. Throws ConfigError with every mistake (file, line, column), one a line.
Sweep parse_sweep(const std::string& name, const std::string& text, const std::filesystem::path& folder,
                  const std::vector<std::string>& overrides);

/// A file, or a ready sweep by name ("papers/noisymix-table2" or "noisymix-table2").
Sweep load_sweep(const std::string& path_or_name, const std::vector<std::string>& overrides);

/// The rows with these labels or folder names, in their order; all of them for an empty list. Throws
/// ConfigError for one that does not exist, with the nearest.
std::vector<std::size_t> chosen_rows(const Sweep& sweep, const std::vector<std::string>& labels);

/// Text as part of a folder's name: lower case, digits, "-" and ".", at most 80 characters.
std::string folder_name(const std::string& text);

}  // namespace noisymix

// noisymix analyse: one function per analysis, in files of their own, and what they share.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tools/analysis/grouped_runs.h"
#include "tools/cli.h"

namespace noisymix {

/// Each adds its analysis below `verb`; parsing it sets `action`.
void add_analyse_boundaries(CLI::App& verb, Action& action);
void add_analyse_errors(CLI::App& verb, Action& action);
void add_analyse_features(CLI::App& verb, Action& action);
void add_analyse_geometry(CLI::App& verb, Action& action);
void add_analyse_jsd(CLI::App& verb, Action& action);
void add_analyse_levels(CLI::App& verb, Action& action);
void add_analyse_second_order(CLI::App& verb, Action& action);

/// --out FOLDER, required; `files` names what is written there.
void add_out_option(CLI::App& verb, std::filesystem::path& out, const std::string& files);

/// Runs as they are named: with the titles of their configurations, and in groups of --group.
struct RunChoice {
  std::vector<std::string> runs, groups;
};
void add_grouped_runs(CLI::App& verb, RunChoice& choice, const std::string& type_name);
/// Throws ConfigError when there are none.
std::vector<GroupedRun> chosen_runs(const RunChoice& choice);

/// Before the work, so that a folder that cannot be made costs no time.
void make_output_folder(const std::filesystem::path& folder);

/// A file of an analysis: FOLDER/NAME, and its path on stdout.
void write_result(const std::filesystem::path& folder, const std::string& name, const std::string& content);

/// FOLDER/NAME.json, .csv and .svg.
void write_results(const std::filesystem::path& folder, const std::string& name, const std::string& json,
                   const std::string& csv, const std::string& svg);

/// The title that a run's configuration gives it, else the name of its folder; and its path without a "/" at
/// the end.
std::string shown_title(const std::string& config_title, const std::string& path);
std::string shown_path(const std::string& path);

}  // namespace noisymix

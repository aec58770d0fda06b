// noisymix analyse: why a method works, in numbers and curves. The verb, and what its analyses share.
#include "tools/cli_analyse.h"

#include <iostream>

#include <CLI/CLI.hpp>

#include "engine/error.h"
#include "engine/io/atomic_file.h"

namespace noisymix {

namespace fs = std::filesystem;

void add_out_option(CLI::App& verb, fs::path& out, const std::string& files) {
  verb.add_option("--out", out, "folder for " + files)->required()->type_name("FOLDER");
}

void add_grouped_runs(CLI::App& verb, RunChoice& choice, const std::string& type_name) {
  verb.add_option("runs", choice.runs, "runs; those whose configurations have one title are averaged")
      ->type_name(type_name);
  verb.add_option("--group", choice.groups, "runs to average under a name of their own, may be repeated")
      ->type_name("NAME=RUN,...")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
}

std::vector<GroupedRun> chosen_runs(const RunChoice& choice) {
  std::vector<GroupedRun> runs;
  for (const std::string& path : choice.runs) runs.push_back({path, ""});
  for (const std::string& group : choice.groups)
    for (GroupedRun& run : parse_group(group)) runs.push_back(std::move(run));
  NM_CHECK_AS(ConfigError, !runs.empty(), "name at least one run, or --group NAME=RUN,...");
  check_distinct(runs);
  return runs;
}

void make_output_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  NM_CHECK_AS(DataError, !error && fs::is_directory(folder), folder.string(),
              ": cannot make this folder: ", error ? error.message() : "there is a file of this name");
}

void write_result(const fs::path& folder, const std::string& name, const std::string& content) {
  write_file_atomically(folder / name, content);
  std::cout << (folder / name).string() << "\n";
}

void write_results(const fs::path& folder, const std::string& name, const std::string& json,
                   const std::string& csv, const std::string& svg) {
  write_result(folder, name + ".json", json);
  write_result(folder, name + ".csv", csv);
  write_result(folder, name + ".svg", svg);
}

std::string shown_path(const std::string& path) {
  std::string result = fs::path(path).lexically_normal().string();
  if (result.size() > 1 && result.ends_with('/')) result.pop_back();
  return result;
}

std::string shown_title(const std::string& config_title, const std::string& path) {
  return config_title.empty() ? fs::path(shown_path(path)).filename().string() : config_title;
}

void add_analyse(CLI::App& program, Action& action) {
  CLI::App* verb = program.add_subcommand(
      "analyse", "The papers' analyses: boundaries, error and robustness curves, features, theory");
  verb->require_subcommand(1);
  add_analyse_boundaries(*verb, action);
  add_analyse_levels(*verb, action);
  add_analyse_errors(*verb, action);
  add_analyse_features(*verb, action);
  add_analyse_geometry(*verb, action);
  add_analyse_second_order(*verb, action);
  add_analyse_jsd(*verb, action);
}

}  // namespace noisymix

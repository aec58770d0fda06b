#include "tools/run_directory.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>

#include "engine/error.h"
#include "engine/io/atomic_file.h"
#include "tools/toml_text.h"

namespace noisymix {
namespace {

namespace fs = std::filesystem;

/// Keys that change how a run is carried out, never its weights: a resumed run may set them anew.
const std::set<std::string>& steering_keys() {
  static const std::set<std::string> keys = {
      "title",           "data.path",        "train.workers",          "train.prefetch",
      "train.max_steps", "train.eval_batch", "train.eval_every",       "train.checkpoint_every",
      "train.keep",      "train.report",     "train.checkpoint_steps", "train.tensorboard",
  };
  return keys;
}

/// A value as the user writes it: 0.1, not the nearest binary fraction in seventeen digits.
std::string written(const toml::node& node) {
  std::ostringstream text;
  node.visit([&](const auto& value) {
    if constexpr (toml::is_floating_point<decltype(value)>) {
      char digits[32];
      const auto end = std::to_chars(digits, digits + sizeof digits, value.get()).ptr;
      text << std::string_view(digits, static_cast<std::size_t>(end - digits));
    } else {
      text << value;
    }
  });
  return text.str();
}

void flatten(const toml::table& table, const std::string& prefix, std::map<std::string, std::string>& out) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    if (const toml::table* child = node.as_table()) {
      flatten(*child, name + '.', out);
    } else {
      out[name] = written(node);
    }
  }
}

std::map<std::string, std::string> flat_settings(const Config& config) {
  std::map<std::string, std::string> settings;
  flatten(toml::parse(to_toml(config)), "", settings);
  return settings;
}

constexpr std::string_view kCheckpointPrefix = "step-", kCheckpointSuffix = ".safetensors";

/// The step in a checkpoint's file name, or -1 for other files.
std::int64_t step_of(const std::string& name) {
  if (!name.starts_with(kCheckpointPrefix) || !name.ends_with(kCheckpointSuffix)) return -1;
  std::int64_t step = -1;
  const char* begin = name.data() + kCheckpointPrefix.size();
  const char* end = name.data() + name.size() - kCheckpointSuffix.size();
  const auto [stop, error] = std::from_chars(begin, end, step);
  return error == std::errc() && stop == end ? step : -1;
}

}  // namespace

std::vector<std::string> differing_keys(const Config& a, const Config& b) {
  const auto before = flat_settings(a), after = flat_settings(b);
  std::set<std::string> keys;
  for (const auto& [key, value] : before) keys.insert(key);
  for (const auto& [key, value] : after) keys.insert(key);
  const auto value_in = [](const std::map<std::string, std::string>& settings, const std::string& key) {
    const auto found = settings.find(key);
    return found == settings.end() ? std::string("(unset)") : found->second;
  };
  std::vector<std::string> differing;
  for (const std::string& key : keys) {
    const std::string old_value = value_in(before, key), new_value = value_in(after, key);
    if (old_value == new_value || steering_keys().contains(key)) continue;
    differing.push_back(key + ": " + old_value + " -> " + new_value);
  }
  return differing;
}

void RunDirectory::create(const Config& config) const {
  NM_CHECK_AS(ConfigError, !exists(), root_.string(),
              ": already holds a run; continue it with --resume or choose another folder");
  std::error_code error;
  fs::create_directories(root_ / "checkpoints", error);
  NM_CHECK_AS(DataError, !error, root_.string(), ": cannot make this folder: ", error.message());
  write_file_atomically(config_file(), to_toml(config));
}

void RunDirectory::reopen(const Config& config) const {
  NM_CHECK_AS(ConfigError, exists(), root_.string(), ": no run to resume here (there is no config.toml)");
  const std::vector<std::string> differing = differing_keys(read_config(), config);
  if (!differing.empty()) {
    std::string list;
    for (const std::string& key : differing) list += "\n  " + key;
    fail<ConfigError>(root_.string(), ": cannot resume with other settings than the run began with:", list);
  }
  write_file_atomically(config_file(), to_toml(config));
}

Config RunDirectory::read_config() const {
  std::ifstream in(config_file(), std::ios::binary);
  NM_CHECK_AS(DataError, in.good(), config_file().string(), ": cannot read this file");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return parse_config(config_file().string(), text, {});
}

fs::path RunDirectory::checkpoint_file(std::int64_t step) const {
  std::string digits = std::to_string(step);
  if (digits.size() < 8) digits.insert(0, 8 - digits.size(), '0');
  return root_ / "checkpoints" / (std::string(kCheckpointPrefix) + digits + std::string(kCheckpointSuffix));
}

std::vector<fs::path> RunDirectory::checkpoints() const {
  std::vector<std::pair<std::int64_t, fs::path>> found;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(root_ / "checkpoints", error)) {
    const std::int64_t step = step_of(entry.path().filename().string());
    if (step >= 0) found.emplace_back(step, entry.path());
  }
  std::sort(found.begin(), found.end());
  std::vector<fs::path> paths;
  for (auto& [step, path] : found) paths.push_back(std::move(path));
  return paths;
}

void RunDirectory::prune(std::int64_t keep) const {
  std::vector<fs::path> old = checkpoints();
  const std::size_t kept = static_cast<std::size_t>(std::max<std::int64_t>(keep, 1));
  old.resize(old.size() - std::min(kept, old.size()));
  for (const fs::path& folder : {root_, root_ / "checkpoints"}) {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with('.') && name.ends_with(".tmp")) old.push_back(entry.path());
    }
  }
  for (const fs::path& path : old) {
    std::error_code ignored;  // housekeeping: a file that stays behind does no harm
    fs::remove(path, ignored);
  }
}

}  // namespace noisymix

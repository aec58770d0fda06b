#include "tools/analysis/grouped_runs.h"

#include <filesystem>
#include <set>
#include <sstream>

#include "engine/error.h"

namespace noisymix {

std::vector<GroupedRun> parse_group(const std::string& text) {
  const std::size_t equals = text.find('=');
  NM_CHECK_AS(ConfigError, equals != std::string::npos && equals > 0 && equals + 1 < text.size(),
              "--group expects NAME=RUN,RUN,..., got \"", text, '"');
  std::vector<GroupedRun> runs;
  std::istringstream list(text.substr(equals + 1));
  for (std::string path; std::getline(list, path, ',');) {
    NM_CHECK_AS(ConfigError, !path.empty(), "--group expects NAME=RUN,RUN,..., got \"", text, '"');
    runs.push_back({path, text.substr(0, equals)});
  }
  return runs;
}

void check_distinct(const std::vector<GroupedRun>& runs) {
  std::set<std::string> seen;
  for (const GroupedRun& run : runs) {
    std::string path = std::filesystem::path(run.path).lexically_normal().string();
    if (path.size() > 1 && path.ends_with('/')) path.pop_back();
    NM_CHECK_AS(ConfigError, seen.insert(path).second, run.path, " is given twice: name every run once");
  }
}

}  // namespace noisymix

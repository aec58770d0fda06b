// Runs and the groups over which analyses average: the seeds of one configuration.
#pragma once

#include <string>
#include <vector>

namespace noisymix {

struct GroupedRun {
  std::string path;   ///< run folder or weight file
  std::string group;  ///< empty: the title of its configuration
};

/// "NAME=RUN,RUN,..." as runs of the group NAME. Throws ConfigError for another form.
std::vector<GroupedRun> parse_group(const std::string& text);

/// Throws ConfigError naming a run that is given twice: it would count as two seeds.
void check_distinct(const std::vector<GroupedRun>& runs);

}  // namespace noisymix

// "Did you mean": the known name closest to a mistyped one.
#pragma once

#include <string>
#include <vector>

namespace noisymix {

/// The known name with the fewest inserted, deleted or replaced characters from `name`, the first one on
/// ties; empty when none is close enough (more than half of the longer name differs).
std::string nearest_name(const std::string& name, const std::vector<std::string>& known);

}  // namespace noisymix

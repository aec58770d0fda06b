// Verbs below `noisymix data` that stand in files of their own.
#pragma once

#include "tools/cli.h"

namespace noisymix {

void add_data_shard(CLI::App& data, Action& action);
void add_data_stylize(CLI::App& data, Action& action);

}  // namespace noisymix

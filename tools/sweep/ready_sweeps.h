// Sweeps that come with the program: the papers' tables, row by row.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace noisymix {

struct ReadySweep {
  std::string_view name;  ///< "papers/" and the name of the file in tools/configs/papers, without .toml
  std::string_view text;
};

/// All of them by name; the texts are compiled in (tools/cmake/EmbedConfigs.cmake).
const std::vector<ReadySweep>& ready_sweeps();

/// First comment line of a sweep: what it is.
std::string ready_sweep_summary(const ReadySweep& sweep);

}  // namespace noisymix

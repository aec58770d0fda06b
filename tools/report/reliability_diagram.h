// How often a model is right where it claims to be: accuracy over confidence, with the share of examples.
#pragma once

#include <string>
#include <vector>

#include "tools/evaluation/results.h"

namespace noisymix::report {

struct ReliabilityDiagram {
  std::string title;
  std::size_t run = 0;
  std::vector<BinSums> bins;  ///< of equal width on [0, 1]
};

/// A <figure>: bars of accuracy per bin, the gap to the mean confidence marked, a histogram below.
std::string draw(const ReliabilityDiagram& diagram);

}  // namespace noisymix::report

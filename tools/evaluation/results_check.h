// What must hold for results before they are written and after they are read.
#pragma once

#include <functional>
#include <string>

#include "tools/evaluation/results.h"

namespace noisymix {

/// Calls bad(field, problem) for the first thing that is out of range or does not fit the rest, where `field`
/// is a path such as "cells[3].accuracy". `bad` must not return.
void check_results(const EvaluationResults& results,
                   const std::function<void(const std::string& field, const std::string& problem)>& bad);

}  // namespace noisymix

// A batch size that fits, for the message of a GPU that ran out of memory.
#pragma once

#include <string>

#include "tools/step_runner.h"

namespace noisymix {

/// "; a batch of about N fits", measured by steps on a few examples of the batch that did not fit; empty when
/// even those do not. Changes nothing but the running statistics of batch norms.
std::string batch_that_fits(const StepParts& parts, const Batch& batch);

}  // namespace noisymix

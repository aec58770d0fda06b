#include "tools/sweep/ready_sweeps.h"

#include "tools/ready_configs.h"

namespace noisymix {

std::string ready_sweep_summary(const ReadySweep& sweep) {
  return ready_config_summary({sweep.name, sweep.text});
}

}  // namespace noisymix

// For builds without the CUDA backend; engine/cuda/step_graph.cpp has the real one.
#include "engine/step_graph.h"

#include "engine/error.h"

namespace noisymix {

struct StepGraphMemory::Impl {};
struct StepGraph::Impl {};

StepGraphMemory::StepGraphMemory(Device) {}
StepGraphMemory::~StepGraphMemory() = default;

bool StepGraph::available(Device) {
  return false;
}
StepGraph::StepGraph(StepGraphMemory&, const std::function<void()>&) {
  fail<DeviceError>("[step graph] this build has no CUDA backend");
}
StepGraph::~StepGraph() = default;
std::vector<std::string> StepGraph::names() const {
  return {};
}
void StepGraph::replay(const std::vector<StepValue>&) {}

}  // namespace noisymix

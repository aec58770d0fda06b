#include "engine/step_graph.h"

#include <algorithm>
#include <optional>

#include "engine/cuda/backend.h"
#include "engine/cuda/runtime.h"
#include "engine/cuda/step_values.h"

namespace noisymix {
namespace {

constexpr std::size_t kValueBytes = std::size_t{1}
                                    << 20;  // of a step: partners and keys of thousands of examples

}  // namespace

struct StepGraphMemory::Impl {
  Device device;
  cuda::MemoryPool pool;
  explicit Impl(Device where) : device(where), pool(where.index) {}
};

StepGraphMemory::StepGraphMemory(Device device) : impl_(std::make_unique<Impl>(device)) {}
StepGraphMemory::~StepGraphMemory() = default;

struct StepGraph::Impl {
  Device device;
  cuda::StepValues values;
  cudaGraphExec_t executable = nullptr;

  explicit Impl(Device where) : device(where), values(where, kValueBytes) {}
  ~Impl() {
    if (executable != nullptr) cudaGraphExecDestroy(executable);
  }
};

bool StepGraph::available(Device device) {
  return !device.is_cpu();
}

StepGraph::StepGraph(StepGraphMemory& memory, const std::function<void()>& body)
    : impl_(std::make_unique<Impl>(memory.impl_->device)) {
  cuda::select(impl_->device.index);
  const cudaStream_t stream = cuda::stream();
  // Relaxed: the pool may ask for memory while work is recorded.
  NM_CUDA_CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed));
  cudaGraph_t graph = nullptr;
  try {
    const cuda::MemoryPool::Scope from_pool(memory.impl_->pool);
    const cuda::StepValues::Recording recording(impl_->values);
    body();
  } catch (...) {
    if (cudaStreamEndCapture(stream, &graph) == cudaSuccess && graph != nullptr) cudaGraphDestroy(graph);
    cudaGetLastError();
    throw;
  }
  NM_CUDA_CHECK(cudaStreamEndCapture(stream, &graph));
  const cudaError_t status = cudaGraphInstantiate(&impl_->executable, graph, 0);
  cudaGraphDestroy(graph);
  NM_CUDA_CHECK(status);
}

StepGraph::~StepGraph() = default;

std::vector<std::string> StepGraph::names() const {
  return impl_->values.names();
}

void StepGraph::replay(const std::vector<StepValue>& values) {
  NM_CHECK_AS(InternalError, values.size() == impl_->values.names().size(), "[step graph] a replay needs ",
              impl_->values.names().size(), " values, got ", values.size());
  for (const auto& [name, bytes] : values)
    NM_CHECK_AS(InternalError, impl_->values.set(name, bytes), "[step graph] no value '", name, "' of ",
                bytes.size(), " bytes was recorded");
  cuda::select(impl_->device.index);
  impl_->values.send();
  NM_CUDA_CHECK(cudaGraphLaunch(impl_->executable, cuda::stream()));
}

}  // namespace noisymix

// A step captured into a CUDA graph and replayed with other numbers, as the trainer does it.
#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "engine/cuda/backend.h"
#include "engine/cuda/runtime.h"
#include "engine/cuda/step_values.h"

namespace noisymix::testing {

class Replay {
 public:
  /// Runs `step` once, so that its memory is there, then captures it; tensors that it makes and keeps are
  /// filled by run().
  Replay(Device device, const std::function<void()>& step) : pool_(device.index), values_(device, 1 << 16) {
    const cuda::MemoryPool::Scope memory(pool_);
    step();
    NM_CUDA_CHECK(cudaStreamSynchronize(cuda::stream()));
    NM_CUDA_CHECK(cudaStreamBeginCapture(cuda::stream(), cudaStreamCaptureModeThreadLocal));
    {
      const cuda::StepValues::Recording recording(values_);
      step();
    }
    cudaGraph_t graph;
    NM_CUDA_CHECK(cudaStreamEndCapture(cuda::stream(), &graph));
    NM_CUDA_CHECK(cudaGraphInstantiate(&graph_, graph, 0));
    NM_CUDA_CHECK(cudaGraphDestroy(graph));
  }
  ~Replay() { cudaGraphExecDestroy(graph_); }
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;

  void set(const std::string& name, const std::vector<std::byte>& bytes) {
    REQUIRE(values_.set(name, bytes));
  }
  void run() {
    values_.send();
    NM_CUDA_CHECK(cudaGraphLaunch(graph_, cuda::stream()));
  }
  std::vector<std::string> names() const { return values_.names(); }

 private:
  cuda::MemoryPool pool_;
  cuda::StepValues values_;
  cudaGraphExec_t graph_{};
};

}  // namespace noisymix::testing

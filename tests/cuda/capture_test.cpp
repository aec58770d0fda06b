// Ops never wait for the device on their own: a graph can capture them, and its replay computes anew.
#include <doctest/doctest.h>

#include "engine/cuda/backend.h"
#include "engine/cuda/runtime.h"
#include "engine/ops/concat.h"
#include "engine/ops/layer_norm.h"
#include "engine/ops/permute.h"
#include "engine/ops/slice.h"
#include "engine/ops/softmax.h"
#include "tests/check_device.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

/// Captures the op, changes its input in place, replays: the result must be that of the new input.
void check_capture(const char* name, const std::function<Tensor(const Tensor&)>& f, const Shape& shape) {
  const std::optional<Device> device = gpu();
  if (!device) return;
  INFO(name);
  const Tensor first = random_normal(shape, Key(1)), second = random_normal(shape, Key(2));
  const auto gradient = [&](Tensor& x) {
    x.clear_grad();
    x.set_requires_grad();
    backward(sum(square(f(x))));
    return x.grad();
  };
  Tensor x = first.to(*device);
  gradient(x);  // the allocator has the memory that the capture will ask for
  cudaGraph_t graph{};
  cudaGraphExec_t executable{};
  select_device(*device);
  NM_CUDA_CHECK(cudaStreamBeginCapture(cuda::stream(), cudaStreamCaptureModeThreadLocal));
  const Tensor captured = gradient(x);
  NM_CUDA_CHECK(cudaStreamEndCapture(cuda::stream(), &graph));
  NM_CUDA_CHECK(cudaGraphInstantiate(&executable, graph, 0));
  x.detach().copy_from(second);
  NM_CUDA_CHECK(cudaGraphLaunch(executable, cuda::stream()));
  NM_CUDA_CHECK(cudaStreamSynchronize(cuda::stream()));
  Tensor expected_x = second.clone();
  CHECK(relative_error(captured, gradient(expected_x)) < 1e-5);
  NM_CUDA_CHECK(cudaGraphExecDestroy(executable));
  NM_CUDA_CHECK(cudaGraphDestroy(graph));
}

}  // namespace

TEST_CASE("cuda: ops and their gradients can be captured") {
  if (!gpu()) return;
  const Shape shape{6, 4, 4, 3};
  check_capture(
      "elementwise", [](const Tensor& x) { return mul(gelu(x), sigmoid(x)); }, shape);
  check_capture(
      "broadcast", [](const Tensor& x) { return mul(x, x.rows(0, 1)); }, shape);
  check_capture(
      "sum",
      [](const Tensor& x) {
        return sum(x, {0, 2});
      },
      shape);
  check_capture("long sum", [](const Tensor& x) { return sum(x); }, {40'000});
  check_capture(
      "variance",
      [](const Tensor& x) {
        return variance(x, {1, 2});
      },
      shape);
  check_capture(
      "logsumexp", [](const Tensor& x) { return logsumexp(x, {3}); }, shape);
  check_capture(
      "max", [](const Tensor& x) { return noisymix::max(x, {1}); }, shape);
  check_capture(
      "min",
      [](const Tensor& x) {
        return noisymix::min(x, {0, 1});
      },
      shape);
  check_capture(
      "l2norm", [](const Tensor& x) { return l2norm(x); }, shape);
  check_capture(
      "softmax", [](const Tensor& x) { return softmax(x); }, shape);
  check_capture(
      "log_softmax", [](const Tensor& x) { return log_softmax(x, 0); }, shape);
  check_capture(
      "permute", [](const Tensor& x) { return to_channels_first(x); }, shape);
  check_capture(
      "concat",
      [](const Tensor& x) {
        return concat({x, flip(x, {1})}, 1);
      },
      shape);
  check_capture(
      "pad2d",
      [](const Tensor& x) {
        return pad2d(x, {1, 1, 1, 1}, PadMode::reflect);
      },
      shape);
  check_capture(
      "layer_norm",
      [](const Tensor& x) {
        const Tensor ones = Tensor::ones({3}, Dtype::f32, x.device());
        return group_norm(x, ones, ones, 1);
      },
      shape);
}

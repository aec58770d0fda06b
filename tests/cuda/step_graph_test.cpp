#include "engine/step_graph.h"

#include <doctest/doctest.h>

#include <cstring>
#include <vector>

#include "engine/cuda/step_values.h"
#include "engine/ops/matmul.h"
#include "tests/check_device.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

std::vector<std::byte> bytes_of(const std::vector<float>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

}  // namespace

TEST_CASE("cuda: a recorded sequence runs again on other data and other values") {
  const auto device = gpu();
  if (!device) return;
  CHECK(StepGraph::available(*device));
  CHECK_FALSE(StepGraph::available(Device{}));
  const Tensor w = random_normal({4, 3}, Key(1)), x = random_normal({5, 3}, Key(2)),
               x2 = random_normal({5, 3}, Key(3));
  const Tensor on_device = w.to(*device);
  Tensor input = x.to(*device).clone(), output = Tensor::zeros({5, 4}, Dtype::f32, *device);
  StepGraphMemory memory(*device);
  const std::vector<float> bias{1, 2, 3, 4}, other{-1, 0, 5, 6};
  StepGraph graph(memory, [&] {
    const Tensor shift = cuda::upload("bias", bias.data(), bias.size() * sizeof(float), *device);
    Tensor as_floats = Tensor::empty({4}, Dtype::f32, *device);
    backend_of(*device).copy(as_floats.raw(), shift.raw(), shift.bytes(), Copy::within);
    output.copy_from(linear(input, on_device, as_floats));
  });
  CHECK(values(output) == std::vector<double>(20, 0.0));  // nothing has run
  CHECK(graph.names() == std::vector<std::string>{"bias"});
  graph.replay({{"bias", bytes_of(bias)}});
  CHECK(relative_error(output, linear(x, w, Tensor::from(bias, {4}))) < 1e-6);
  input.copy_from(x2);
  graph.replay({{"bias", bytes_of(other)}});
  CHECK(relative_error(output, linear(x2, w, Tensor::from(other, {4}))) < 1e-6);
  CHECK_THROWS_AS(graph.replay({}), InternalError);
  CHECK_THROWS_AS(graph.replay({{"slope", bytes_of(other)}}), InternalError);
  CHECK_THROWS_AS(graph.replay({{"bias", bytes_of({1})}}), InternalError);
}

TEST_CASE("cuda: what cannot be recorded is refused, and the device works on") {
  const auto device = gpu();
  if (!device) return;
  const Tensor x = random_normal({3}, Key(2)).to(*device);
  StepGraphMemory memory(*device);
  CHECK_THROWS_AS(StepGraph(memory, [&] { x.to_vector<float>(); }), DeviceError);
  CHECK_THROWS_AS(StepGraph(memory, [&] { Tensor::from<float>({1, 2}, {2}, *device); }), DeviceError);
  CHECK(values(x.clone()) == values(x));
}

// Memory layout to file layout and back.
#include "engine/io/torch_layout.h"

#include "tests/check_op.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

NamedTensors example() {
  return {{"conv.weight", random_normal({2, 3, 5, 4}, Key(1))},
          {"conv.bias", random_normal({2}, Key(2))},
          {"norm.num_batches_tracked", Tensor::from<std::int64_t>({7}, {})},
          {"linear.weight", random_normal({3, 2}, Key(3))}};
}

}  // namespace

TEST_CASE("files hold OIHW convolution weights under the same names") {
  const NamedTensors state = example();
  const Safetensors file = to_torch_layout(state);
  REQUIRE(file.tensors.size() == 4);
  const Tensor& weight = file.at("conv.weight");
  CHECK(weight.shape() == Shape{2, 4, 3, 5});
  const auto memory = state[0].second.to_vector<float>(), stored = weight.to_vector<float>();
  for (std::size_t o = 0; o < 2; ++o)
    for (std::size_t i = 0; i < 4; ++i)
      for (std::size_t h = 0; h < 3; ++h)
        for (std::size_t w = 0; w < 5; ++w)
          CHECK(stored[((o * 4 + i) * 3 + h) * 5 + w] == memory[((o * 3 + h) * 5 + w) * 4 + i]);
  CHECK(file.tensors[3].first == "linear.weight");
  CHECK(file.at("linear.weight").shape() == Shape{3, 2});
}

TEST_CASE("there and back is the identity, and nothing is recorded") {
  NamedTensors state = example();
  state[0].second.set_requires_grad();
  const Safetensors file = to_torch_layout(state);
  CHECK_FALSE(file.tensors[0].second.tracks_grad());
  const NamedTensors back = from_torch_layout(file);
  REQUIRE(back.size() == state.size());
  for (std::size_t i = 0; i < state.size(); ++i) {
    CHECK(back[i].first == state[i].first);
    CHECK(same_bits(back[i].second, state[i].second));
  }
}

TEST_CASE("the prefix of data-parallel runs is dropped when every name has it") {
  Safetensors file;
  file.tensors = {{"module.a", Tensor::zeros({1})}, {"module.b.module.c", Tensor::zeros({1})}};
  NamedTensors state = from_torch_layout(file);
  CHECK(state[0].first == "a");
  CHECK(state[1].first == "b.module.c");
  file.tensors.emplace_back("other", Tensor::zeros({1}));
  state = from_torch_layout(file);
  CHECK(state[0].first == "module.a");
  CHECK(from_torch_layout({}).empty());
}

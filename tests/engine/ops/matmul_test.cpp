#include "engine/ops/matmul.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <vector>

#include "engine/cpu/cpu_features.h"
#include "engine/cpu/parallel.h"
#include "engine/io/safetensors.h"
#include "tests/check_op.h"
#include "tests/golden.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

Shape operand(std::int64_t rows, std::int64_t columns, bool transposed) {
  return transposed ? Shape{columns, rows} : Shape{rows, columns};
}

}  // namespace

TEST_CASE("matmul small values by hand") {
  const Tensor a = Tensor::from(std::vector<float>{1, 2, 3, 4, 5, 6}, Shape{2, 3});
  const Tensor b = Tensor::from(std::vector<float>{1, 0, 0, 1, 1, 1}, Shape{3, 2});
  CHECK(matmul(a, b).to_vector<float>() == std::vector<float>{4, 5, 10, 11});
  CHECK(matmul(a, a, {false, true}).to_vector<float>() == std::vector<float>{14, 32, 32, 77});
  CHECK(matmul(a, a, {true, false}).to_vector<float>() ==
        std::vector<float>{17, 22, 27, 22, 29, 36, 27, 36, 45});
}

TEST_CASE("matmul of empty matrices") {
  CHECK(matmul(Tensor::zeros(Shape{0, 3}), Tensor::zeros(Shape{3, 2})).shape() == Shape{0, 2});
  CHECK(matmul(Tensor::zeros(Shape{2, 0}), Tensor::zeros(Shape{0, 2})).to_vector<float>() ==
        std::vector<float>(4, 0.0f));
  CHECK(matmul(Tensor::zeros(Shape{0, 2, 3}), Tensor::zeros(Shape{0, 3, 4})).shape() == Shape{0, 2, 4});
}

TEST_CASE("matmul agrees with f64 on every instruction set and any number of threads") {
  const cpu::Isa before = cpu::active_isa();
  const std::int64_t sizes[][3] = {{1, 1, 1},      {1, 200, 3},     {5, 7, 33},
                                   {12, 32, 64},   {13, 31, 100},   {97, 65, 49},
                                   {384, 512, 10}, {200, 2500, 70}, {3, 1030, 300}};
  for (const auto& [m, k, n] : sizes)
    for (const bool ta : {false, true})
      for (const bool tb : {false, true}) {
        const Tensor a = random_normal(operand(m, k, ta), Key(1)),
                     b = random_normal(operand(k, n, tb), Key(2));
        const Tensor want = matmul(a.to(Dtype::f64), b.to(Dtype::f64), {ta, tb});
        for (const cpu::Isa isa : cpu::usable_isas()) {
          cpu::set_isa(isa);
          const Tensor got = matmul(a, b, {ta, tb});
          CHECK(relative_error(got, want) < 2e-6);
          cpu::set_threads(4);
          CHECK(same_bits(got, matmul(a, b, {ta, tb})));
          cpu::set_threads(0);
        }
      }
  cpu::set_isa(before);
}

TEST_CASE("matmul and linear gradients") {
  for (const bool ta : {false, true})
    for (const bool tb : {false, true})
      check_gradients(
          [&](const std::vector<Tensor>& in) {
            return matmul(in[0], in[1], {ta, tb});
          },
          {random_normal(operand(3, 4, ta), Key(1)), random_normal(operand(4, 5, tb), Key(2))});
  check_gradients(
      [](const std::vector<Tensor>& in) {
        return matmul(in[0], in[1], {true, false});
      },
      {random_normal(Shape{2, 1, 4, 3}, Key(1)), random_normal(Shape{3, 4, 2}, Key(2))});
  check_gradients([](const std::vector<Tensor>& in) { return linear(in[0], in[1], in[2]); },
                  {random_normal(Shape{2, 3, 4}, Key(1)), random_normal(Shape{5, 4}, Key(2)),
                   random_normal(Shape{5}, Key(3))});
}

TEST_CASE("linear of one sample, without bias, in bf16") {
  const Tensor x = Tensor::from(std::vector<float>{1, 2, 3}, Shape{3});
  const Tensor weight = Tensor::from(std::vector<float>{1, 1, 1, 0, 0, 2}, Shape{2, 3});
  CHECK(linear(x, weight, Tensor()).to_vector<float>() == std::vector<float>{6, 6});
  CHECK(values(linear(x.to(Dtype::bf16), weight.to(Dtype::bf16), Tensor())) == std::vector<double>{6, 6});
}

TEST_CASE("matmul and linear error texts") {
  const Tensor a = Tensor::zeros(Shape{2, 3});
  CHECK(message_of([&] { matmul(a, a); }) ==
        "[matmul] a has 3 columns, b must have as many rows; shapes are [2, 3] and [2, 3]");
  CHECK(message_of([&] { matmul(a, Tensor::zeros(Shape{3})); }) ==
        "[matmul] expects matrices or batches of them, got shapes [2, 3] and [3]");
  CHECK(message_of([&] {
          linear(a, Tensor::zeros(Shape{5, 4}), Tensor());
        }) == "[linear] weight expects 4 input features, x has shape [2, 3]");
  CHECK(message_of([&] {
          linear(a, Tensor::zeros(Shape{5, 3}), Tensor::zeros(Shape{4}));
        }) == "[linear] expects bias [5], got shape [4]");
}

TEST_CASE("matmul and linear golden values") {
  const auto manifest = read_json(fixture_path("ops/manifest.json"));
  int seen = 0;
  for (const auto& entry : manifest.at("cases")) {
    const std::string op = entry.at("op"), name = entry.at("name");
    if (op != "matmul" && op != "bmm" && op != "linear") continue;
    CAPTURE(name);
    const Safetensors arrays = read_safetensors(fixture_path("ops/" + entry.at("file").get<std::string>()));
    const double limit = std::max(10 * entry.at("float32_rel_err").get<double>(), 2e-6);
    std::vector<std::string> parts =
        op == "linear" ? std::vector<std::string>{"x", "w"} : std::vector<std::string>{"a", "b"};
    if (op == "linear" && entry.at("inputs").contains("b")) parts.push_back("b");
    std::vector<Tensor> inputs;
    for (const auto& part : parts) inputs.push_back(arrays.at(name + "/" + part).to(Dtype::f32));
    for (Tensor& input : inputs) input.set_requires_grad();
    const auto& attrs = entry.at("attrs");
    const Tensor y = op == "linear"
                         ? linear(inputs[0], inputs[1], inputs.size() > 2 ? inputs[2] : Tensor())
                         : matmul(inputs[0], inputs[1], {attrs.at("trans_a"), attrs.at("trans_b")});
    CHECK(relative_error(y, arrays.at(name + "/y")) <= limit);
    backward(y, arrays.at(name + "/g_y").to(Dtype::f32));
    for (std::size_t i = 0; i < parts.size(); ++i)
      CHECK(relative_error(inputs[i].grad(), arrays.at(name + "/grad_" + parts[i])) <= limit);
    ++seen;
  }
  CHECK(seen >= 30);
}

TEST_CASE("bf16 products are exact products summed in f32 and rounded once") {
  using Sizes = std::array<std::int64_t, 3>;
  for (const Sizes& sizes : {Sizes{40, 33, 70}, Sizes{1, 5, 3}, Sizes{64, 16, 128}, Sizes{3, 1, 1}}) {
    const std::int64_t m = sizes[0], n = sizes[1], k = sizes[2];
    for (const bool ta : {false, true})
      for (const bool tb : {false, true}) {
        const Tensor a = random_normal(ta ? Shape{k, m} : Shape{m, k}, Key(1)).to(Dtype::bf16),
                     b = random_normal(tb ? Shape{n, k} : Shape{k, n}, Key(2)).to(Dtype::bf16);
        CAPTURE(m);
        CAPTURE(ta);
        CAPTURE(tb);
        const Tensor want = matmul(a.to(Dtype::f64), b.to(Dtype::f64), {ta, tb});
        CHECK(relative_error(matmul(a, b, {ta, tb}), want) < 0.004);
      }
  }
}

TEST_CASE("linear in mixed precision: f32 parameters keep f32 gradients") {
  const Tensor x = random_normal(Shape{6, 9}, Key(1)).to(Dtype::bf16);
  Tensor weight = random_normal(Shape{4, 9}, Key(2)), bias = random_normal(Shape{4}, Key(3));
  weight.set_requires_grad();
  bias.set_requires_grad();
  const Tensor y = linear(x, weight, bias), dy = random_normal(Shape{6, 4}, Key(4)).to(Dtype::bf16);
  CHECK(y.dtype() == Dtype::bf16);
  CHECK(relative_error(
            y, linear(x.to(Dtype::f64), weight.to(Dtype::bf16).to(Dtype::f64), bias.to(Dtype::f64))) < 0.004);
  backward(y, dy);
  CHECK(weight.grad().dtype() == Dtype::f32);
  CHECK(relative_error(weight.grad(), matmul(dy.to(Dtype::f64), x.to(Dtype::f64), {true, false})) < 1e-6);
  CHECK(relative_error(bias.grad(), sum(dy.to(Dtype::f64), {0})) < 1e-6);
}

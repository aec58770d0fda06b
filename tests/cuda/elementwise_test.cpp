#include "engine/ops/elementwise.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/check_device.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

using Unary = Tensor (*)(const Tensor&);
using Binary = Tensor (*)(const Tensor&, const Tensor&);

/// Between 0.3 and 2.5, away from the kinks at 0.
Tensor positive(const Shape& shape, Key key) {
  return random_uniform(shape, key, 0.3, 2.5);
}

/// 0 and 1, about as many of each.
Tensor coins(const Shape& shape, Key key) {
  return random_uniform(shape, key, 0, 2).to(Dtype::u8);
}

Tensor of_both_signs(const Shape& shape, Key key) {
  const Tensor x = positive(shape, key);
  return where(coins(shape, key.child("sign")), x, neg(x));
}

void check_unary(const char* name, const std::function<Tensor(const Tensor&)>& f, const Tensor& x) {
  check_devices_agree(name, [&](const std::vector<Tensor>& in) { return f(in[0]); }, {x});
}
void check_binary(const char* name, Binary f, const Tensor& a, const Tensor& b) {
  check_devices_agree(name, [&](const std::vector<Tensor>& in) { return f(in[0], in[1]); }, {a, b});
}

}  // namespace

#define NM_FUNCTION(function) \
  { #function, function }

TEST_CASE("cuda elementwise: functions of one operand and their gradients") {
  if (!gpu()) return;
  const std::pair<const char*, Unary> anywhere[] = {
      NM_FUNCTION(neg),     NM_FUNCTION(noisymix::exp), NM_FUNCTION(reciprocal), NM_FUNCTION(noisymix::abs),
      NM_FUNCTION(square),  NM_FUNCTION(relu),          NM_FUNCTION(gelu),       NM_FUNCTION(gelu_tanh),
      NM_FUNCTION(sign),    NM_FUNCTION(silu),          NM_FUNCTION(gelu_sigmoid),  NM_FUNCTION(sigmoid),    NM_FUNCTION(noisymix::tanh),
      NM_FUNCTION(softplus)};
  const std::pair<const char*, Unary> above_0[] = {NM_FUNCTION(noisymix::log), NM_FUNCTION(noisymix::sqrt),
                                                   NM_FUNCTION(rsqrt)};
  for (const Shape& shape :
       {Shape{}, Shape{0}, Shape{3, 0, 2}, Shape{1}, Shape{5, 7}, Shape{4, 64}, Shape{4999}}) {
    for (const auto& [name, f] : anywhere) check_unary(name, f, of_both_signs(shape, Key(1)));
    for (const auto& [name, f] : above_0) check_unary(name, f, positive(shape, Key(2)));
  }
}

TEST_CASE("cuda elementwise: functions with parameters") {
  if (!gpu()) return;
  const Tensor x = of_both_signs({3, 77}, Key(3));
  check_unary(
      "add", [](const Tensor& t) { return add(t, 0.7); }, x);
  check_unary(
      "mul", [](const Tensor& t) { return mul(t, -1.3); }, x);
  check_unary(
      "square", [](const Tensor& t) { return noisymix::pow(t, 2); }, x);
  check_unary(
      "pow", [](const Tensor& t) { return noisymix::pow(t, 1.7); }, positive({3, 77}, Key(4)));
  check_unary(
      "leaky_relu", [](const Tensor& t) { return leaky_relu(t, 0.2); }, x);
  check_unary(
      "elu", [](const Tensor& t) { return elu(t, 1.5); }, x);
  check_unary(
      "clamp", [](const Tensor& t) { return clamp(t, -0.9, 1.1); }, x);
}

TEST_CASE("cuda elementwise: two operands, equal and broadcast in every way") {
  if (!gpu()) return;
  const std::pair<const char*, Binary> functions[] = {NM_FUNCTION(add),     NM_FUNCTION(sub),
                                                      NM_FUNCTION(mul),     NM_FUNCTION(div),
                                                      NM_FUNCTION(maximum), NM_FUNCTION(minimum)};
  const std::pair<Shape, Shape> shapes[] = {
      {{}, {}},
      {{0, 3}, {3}},
      {{5, 13}, {5, 13}},
      {{4, 64}, {4, 64}},
      {{4, 64}, {64}},    // a bias
      {{4, 64}, {4, 1}},  // a number per row
      {{4, 64}, {}},      // a scalar
      {{1}, {7, 3}},
      {{7, 3}, {3}},     // rows that are no whole packs
      {{7, 1}, {1, 5}},  // an outer product
      {{2, 3, 4, 16}, {2, 1, 1, 16}},
      {{2, 1, 4, 1}, {1, 3, 1, 8}},
      {{2, 3, 1, 5, 1}, {3, 4, 1, 7}},
      {{40'000}, {40'000}},
  };
  for (const auto& [name, f] : functions)
    for (const auto& [a, b] : shapes) {
      check_binary(name, f, of_both_signs(a, Key(5)), of_both_signs(b, Key(6)));
      if (!(a == b)) check_binary(name, f, of_both_signs(b, Key(7)), of_both_signs(a, Key(8)));
    }
}

TEST_CASE("cuda elementwise: where") {
  if (!gpu()) return;
  const auto check = [](const Shape& condition, const Shape& a, const Shape& b) {
    check_devices_agree("where", [](const std::vector<Tensor>& in) { return where(in[0], in[1], in[2]); },
                        {coins(condition, Key(9)), random_normal(a, Key(10)), random_normal(b, Key(11))});
  };
  check({4, 64}, {4, 64}, {4, 64});
  check({64}, {4, 64}, {});
  check({4, 1}, {64}, {4, 64});
  check({5, 3}, {1, 3}, {5, 1});
  check({2, 1, 9}, {3, 1}, {9});
  check({0}, {0}, {0});
}

TEST_CASE("cuda elementwise: rows that begin at odd addresses") {
  const auto device = gpu();
  if (!device) return;
  for (const Dtype dtype : {Dtype::f32, Dtype::f64, Dtype::bf16}) {
    const Tensor a = random_normal({7, 5}, Key(12)).to(dtype), b = random_normal({8, 5}, Key(13)).to(dtype);
    const Tensor there_a = a.to(*device), there_b = b.to(*device);
    CHECK(
        same_bits(mul(there_a.rows(1, 6), there_b.rows(2, 7)).to(Device{}), mul(a.rows(1, 6), b.rows(2, 7))));
    CHECK(same_bits(relu(there_a.rows(3, 7)).to(Device{}), relu(a.rows(3, 7))));
  }
}

TEST_CASE("cuda elementwise: NaN passes through") {
  const auto device = gpu();
  if (!device) return;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor x = Tensor::from(std::vector<float>{nan, 1, -1}, {3}).to(*device);
  const Tensor y = Tensor::from(std::vector<float>{2, nan, -3}, {3}).to(*device);
  CHECK(std::isnan(relu(x).to_vector<float>()[0]));
  CHECK(std::isnan(clamp(x, -1, 1).to_vector<float>()[0]));
  for (const auto& result : {maximum(x, y).to_vector<float>(), minimum(x, y).to_vector<float>()}) {
    CHECK(std::isnan(result[0]));
    CHECK(std::isnan(result[1]));
    CHECK_FALSE(std::isnan(result[2]));
  }
}

#include "engine/ops/conv2d.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "engine/cpu/parallel.h"
#include "engine/io/safetensors.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/permute.h"
#include "tests/check_op.h"
#include "tests/golden.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

Conv2dOptions options_of(const nlohmann::json& attrs) {
  const auto pair = [&](const char* name, int i) {
    return attrs.at(name).at(static_cast<std::size_t>(i)).get<std::int64_t>();
  };
  return {pair("stride", 0),   pair("stride", 1),   pair("padding", 0), pair("padding", 1),
          pair("dilation", 0), pair("dilation", 1), attrs.at("groups")};
}

/// The gradient check of one setting: x [n, h, w, c], weight [o, kh, kw, c / groups], with bias.
void check_setting(const Shape& x, const Shape& weight, const Conv2dOptions& options) {
  check_gradients(
      [&](const std::vector<Tensor>& in) { return conv2d(in[0], in[1], in[2], options); },
      {random_normal(x, Key(1)), random_normal(weight, Key(2)), random_normal(Shape{weight[0]}, Key(3))});
}

}  // namespace

TEST_CASE("conv2d small values by hand") {
  // A 3x3 map of 1..9, one 2x2 filter: every output is the sum of a window's diagonal.
  const Tensor x = Tensor::from(std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8, 9}, Shape{1, 3, 3, 1});
  const Tensor weight = Tensor::from(std::vector<float>{1, 0, 0, 1}, Shape{1, 2, 2, 1});
  CHECK(conv2d(x, weight, Tensor()).to_vector<float>() == std::vector<float>{6, 8, 12, 14});
  const Tensor bias = Tensor::from(std::vector<float>{0.5f}, Shape{1});
  CHECK(conv2d(x, weight, bias, Conv2dOptions::square(2, 0)).to_vector<float>() == std::vector<float>{6.5f});
  CHECK(conv2d(x, weight, Tensor(), Conv2dOptions::square(3, 1)).to_vector<float>() ==
        std::vector<float>{1, 0, 0, 9});
}

TEST_CASE("conv2d without images") {
  Tensor x = Tensor::zeros(Shape{0, 8, 8, 3}), weight = Tensor::ones(Shape{4, 3, 3, 3});
  weight.set_requires_grad();
  const Tensor y = conv2d(x, weight, Tensor(), Conv2dOptions::square(1, 1));
  CHECK(y.shape() == Shape{0, 8, 8, 4});
  backward(y, empty_like(y));
  CHECK(l2norm(weight.grad()).item() == 0);
}

TEST_CASE("conv2d gradients") {
  check_setting(Shape{2, 5, 4, 3}, Shape{4, 3, 3, 3}, Conv2dOptions::square(1, 1));
  check_setting(Shape{1, 6, 5, 2}, Shape{3, 3, 2, 2}, {2, 1, 1, 0, 1, 1, 1});
  check_setting(Shape{1, 7, 7, 4}, Shape{4, 3, 3, 2}, {2, 2, 2, 2, 2, 2, 2});
}

TEST_CASE("conv2d computes only the gradients that are wanted") {
  const Tensor x = random_normal(Shape{1, 4, 4, 2}, Key(1));
  Tensor weight = random_normal(Shape{3, 3, 3, 2}, Key(2));
  weight.set_requires_grad();
  const Tensor y = conv2d(x, weight, Tensor());
  REQUIRE(y.node());
  const Grads grads = y.node()->backward(Tensor::ones(y.shape()));
  CHECK_FALSE(grads[0].defined());
  CHECK(grads[1].shape() == weight.shape());
}

TEST_CASE("conv2d in bf16 is f32 rounded") {
  Tensor x = random_normal(Shape{2, 6, 6, 5}, Key(1), 0, 1, Dtype::bf16);
  Tensor weight = random_normal(Shape{7, 3, 3, 5}, Key(2), 0, 1, Dtype::bf16);
  Tensor bias = random_normal(Shape{7}, Key(3), 0, 1, Dtype::bf16);
  const Conv2dOptions options = Conv2dOptions::square(1, 1);
  const Tensor wide = conv2d(x.to(Dtype::f32), weight.to(Dtype::f32), bias.to(Dtype::f32), options);
  for (Tensor* t : {&x, &weight, &bias}) t->set_requires_grad();
  const Tensor y = conv2d(x, weight, bias, options);
  CHECK(same_bits(y.detach(), wide.to(Dtype::bf16)));
  backward(y, Tensor::ones(y.shape(), Dtype::bf16));
  CHECK(weight.grad().dtype() == Dtype::bf16);
  CHECK(values(bias.grad()).at(0) == 72);
}

TEST_CASE("conv2d error texts") {
  const Tensor x = Tensor::zeros(Shape{2, 8, 8, 4}), weight = Tensor::zeros(Shape{6, 3, 3, 3});
  CHECK(message_of([&] { conv2d(x, weight, Tensor()); }) ==
        "[conv2d] weight expects 3 input channels, x has shape [2, 8, 8, 4]");
  CHECK(message_of([&] {
          conv2d(Tensor::zeros(Shape{8, 8, 3}), weight, Tensor());
        }) == "[conv2d] expects x [n, h, w, c], got shape [8, 8, 3]");
  CHECK(message_of([&] {
          conv2d(Tensor::zeros(Shape{1, 2, 8, 3}), weight, Tensor());
        }) == "[conv2d] the filter covers 3 positions along height, x with its padding has only 2");
  CHECK(message_of([&] {
          conv2d(Tensor::zeros(Shape{1, 8, 8, 3}), weight, Tensor::zeros(Shape{5}));
        }) == "[conv2d] expects bias [6], got shape [5]");
  Conv2dOptions options;
  options.groups = 3;
  CHECK(message_of([&] { conv2d(x, weight, Tensor(), options); }) ==
        "[conv2d] groups 3 must divide the channels of x, shape [2, 8, 8, 4], and of weight, shape [6, 3, 3, "
        "3]");
}

TEST_CASE("conv2d golden values") {
  const auto manifest = read_json(fixture_path("ops/manifest.json"));
  const Safetensors arrays = read_safetensors(fixture_path("ops/conv2d.safetensors"));
  int seen = 0;
  for (const auto& entry : manifest.at("cases")) {
    if (entry.at("op") != "conv2d") continue;
    const std::string name = entry.at("name");
    CAPTURE(name);
    const auto array = [&](const std::string& part) { return arrays.at(name + "/" + part).to(Dtype::f32); };
    const double limit = std::max(10 * entry.at("float32_rel_err").get<double>(), 2e-6);
    Tensor x = to_channels_last(array("x")), weight = to_channels_last(array("w"));
    Tensor bias = entry.at("inputs").contains("b") ? array("b") : Tensor();
    x.set_requires_grad();
    weight.set_requires_grad();
    if (bias.defined()) bias.set_requires_grad();
    const Tensor y = conv2d(x, weight, bias, options_of(entry.at("attrs")));
    const auto wanted = [&](const std::string& part) { return arrays.at(name + "/" + part); };
    CHECK(relative_error(to_channels_first(y.detach()), wanted("y")) <= limit);
    backward(y, to_channels_last(array("g_y")));
    CHECK(relative_error(to_channels_first(x.grad()), wanted("grad_x")) <= limit);
    CHECK(relative_error(to_channels_first(weight.grad()), wanted("grad_w")) <= limit);
    if (bias.defined()) CHECK(relative_error(bias.grad(), wanted("grad_b")) <= limit);
    ++seen;
  }
  CHECK(seen == 20);
}

TEST_CASE("conv2d adds a residual, which receives the gradient as it is") {
  const Shape x{2, 5, 4, 3}, weight{4, 3, 3, 3}, y{2, 5, 4, 4};
  check_gradients(
      [](const std::vector<Tensor>& in) {
        return conv2d(in[0], in[1], in[2], Conv2dOptions::square(1, 1), in[3]);
      },
      {random_normal(x, Key(1)), random_normal(weight, Key(2)), random_normal(Shape{4}, Key(3)),
       random_normal(y, Key(4))});
  for (const Dtype dtype : {Dtype::f32, Dtype::bf16}) {
    const Tensor input = random_normal(x, Key(1)).to(dtype), filter = random_normal(weight, Key(2)).to(dtype),
                 skip = random_normal(y, Key(4)).to(dtype);
    const Conv2dOptions options = Conv2dOptions::square(1, 1);
    const Tensor wide =
        add(conv2d(input.to(Dtype::f64), filter.to(Dtype::f64), Tensor(), options), skip.to(Dtype::f64));
    CHECK(relative_error(conv2d(input, filter, Tensor(), options, skip), wide) <
          (dtype == Dtype::f32 ? 1e-6 : 0.004));
  }
  CHECK(message_of([&] {
          conv2d(Tensor::zeros(x), Tensor::zeros(weight), Tensor(), {}, Tensor::zeros(y));
        }) == "[conv2d] residual has shape [2, 5, 4, 4], the result [2, 3, 2, 4]");
}

TEST_CASE("conv2d in mixed precision: f32 parameters keep f32 gradients") {
  const Tensor x = random_normal(Shape{3, 6, 6, 5}, Key(1)).to(Dtype::bf16);
  Tensor weight = random_normal(Shape{7, 3, 3, 5}, Key(2)), bias = random_normal(Shape{7}, Key(3));
  weight.set_requires_grad();
  bias.set_requires_grad();
  const Tensor y = conv2d(x, weight, bias, Conv2dOptions::square(1, 1));
  CHECK(y.dtype() == Dtype::bf16);
  const Tensor dy = random_normal(y.shape(), Key(4)).to(Dtype::bf16);
  backward(y, dy);
  CHECK(weight.grad().dtype() == Dtype::f32);
  CHECK(bias.grad().dtype() == Dtype::f32);

  Tensor wide_weight = weight.detach().to(Dtype::f64).clone(),
         wide_bias = bias.detach().to(Dtype::f64).clone();
  wide_weight.set_requires_grad();
  wide_bias.set_requires_grad();
  backward(conv2d(x.to(Dtype::f64), wide_weight, wide_bias, Conv2dOptions::square(1, 1)), dy.to(Dtype::f64));
  CHECK(relative_error(weight.grad(), wide_weight.grad()) < 1e-6);  // x and dy are exact, the sums are f32
  CHECK(relative_error(bias.grad(), wide_bias.grad()) < 1e-6);
  CHECK(message_of([&] { conv2d(x.to(Dtype::f32), weight.detach().to(Dtype::bf16), Tensor()); }) ==
        "[conv2d] expects weight in the dtype of x, f32; got bf16");
}

TEST_CASE("conv2d_affine is the convolution, the factors and the relu") {
  const Shape x{2, 8, 8, 6}, weight{20, 3, 3, 6}, y{2, 8, 8, 20};
  const Conv2dOptions options = Conv2dOptions::square(1, 1);
  const ChannelAffine affine{random_normal(Shape{20}, Key(5)), random_normal(Shape{20}, Key(6)), true};
  for (const Dtype dtype : {Dtype::f32, Dtype::bf16}) {
    const Tensor input = random_normal(x, Key(1)).to(dtype), filter = random_normal(weight, Key(2)).to(dtype),
                 bias = random_normal(Shape{20}, Key(3)), skip = random_normal(y, Key(4)).to(dtype);
    const Tensor sums = conv2d(input.to(Dtype::f64), filter.to(Dtype::f64), bias.to(Dtype::f64), options,
                               skip.to(Dtype::f64));
    const Tensor want = relu(add(mul(sums, affine.scale.to(Dtype::f64)), affine.shift.to(Dtype::f64)));
    const Tensor got = conv2d_affine(input, filter, bias, options, skip, affine);
    CHECK(got.dtype() == dtype);
    CHECK(relative_error(got, want) < (dtype == Dtype::f32 ? 1e-6 : 0.004));
  }
  Tensor wanted = random_normal(weight, Key(2));
  wanted.set_requires_grad();
  CHECK(message_of([&] { conv2d_affine(Tensor::zeros(x), wanted, Tensor(), options, Tensor(), affine); }) ==
        "[conv2d_affine] has no gradient; use it under NoGrad");
}

TEST_CASE("a convolution keeps the recipe of its input instead of the input") {
  int made = 0;
  const Tensor x = random_normal(Shape{1, 4, 4, 2}, Key(1));
  Tensor weight = random_normal(Shape{3, 3, 3, 2}, Key(2));
  weight.set_requires_grad();
  Tensor want;
  {
    const Tensor y = conv2d(mul(x, 2.0), weight, Tensor());
    backward(y, Tensor::ones(y.shape()));
    want = weight.grad();
    weight.clear_grad();
  }
  Tensor y;
  {
    Tensor doubled = mul(x, 2.0);
    doubled.set_recipe([&made, x] { return ++made, mul(x, 2.0); });
    y = conv2d(doubled, weight, Tensor());
    CHECK(Saved(doubled).get().raw() == doubled.raw());  // still alive: nothing is computed
    CHECK(made == 0);
  }
  backward(y, Tensor::ones(y.shape()));
  CHECK(made == 1);
  CHECK(same_bits(weight.grad(), want));
}

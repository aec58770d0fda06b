#include "engine/autograd.h"

#include <doctest/doctest.h>

#include <memory>
#include <thread>

#include "tests/check_op.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

Tensor leaf(const std::vector<double>& data) {
  return Tensor::from(data, {static_cast<std::int64_t>(data.size())}).set_requires_grad();
}

/// y = x, remembering something that dies with the closure.
Tensor identity(const Tensor& x, std::shared_ptr<int> held = nullptr) {
  return record("identity", {x}, x.clone(), [held](const Tensor& dy) { return Grads{dy}; });
}

}  // namespace

TEST_CASE("a diamond adds the gradients of both paths") {
  const Tensor x = leaf({3});
  const Tensor a = mul(x, 2.0), b = mul(x, x);
  backward(sum(mul(a, b)));  // 2 x^3
  CHECK(values(x.grad()) == std::vector<double>{54});
}

TEST_CASE("a deep stack of diamonds costs linear time") {
  const Tensor x = leaf({1});
  Tensor y = x;
  for (int i = 0; i < 60; ++i) y = mul(add(y, y), 0.5);  // walking every path would take 2^60 steps
  backward(sum(y));
  CHECK(values(x.grad()) == std::vector<double>{1});
}

TEST_CASE("the same input twice counts twice") {
  const Tensor x = leaf({3, 4});
  backward(sum(mul(x, x)));
  CHECK(values(x.grad()) == std::vector<double>{6, 8});
}

TEST_CASE("gradients accumulate over backward passes until cleared") {
  Tensor x = leaf({1, 2});
  backward(sum(mul(x, 3.0)));
  const Tensor first = x.grad();
  backward(sum(mul(x, 4.0)));
  CHECK(values(x.grad()) == std::vector<double>{7, 7});
  CHECK(values(first) == std::vector<double>{3, 3});  // a handle taken earlier keeps what it saw
  x.clear_grad();
  backward(sum(x));
  CHECK(values(x.grad()) == std::vector<double>{1, 1});
}

TEST_CASE("two leaves that receive the same gradient tensor do not disturb each other") {
  const Tensor a = leaf({1}), b = leaf({2});
  backward(sum(add(a, b)));
  backward(sum(mul(a, 5.0)));
  CHECK(values(a.grad()) == std::vector<double>{6});
  CHECK(values(b.grad()) == std::vector<double>{1});
}

TEST_CASE("a gradient handed to backward is never written to") {
  const Tensor x = leaf({1, 2}), g = Tensor::from<double>({5, 6}, {2});
  backward(identity(x), g);
  backward(identity(x), g);
  backward(x, g);
  CHECK(values(g) == std::vector<double>{5, 6});
  CHECK(values(x.grad()) == std::vector<double>{15, 18});
}

TEST_CASE("backward from a leaf itself") {
  const Tensor x = leaf({2});
  backward(x);
  CHECK(values(x.grad()) == std::vector<double>{1});
}

TEST_CASE("a tape is used up by its backward pass") {
  const Tensor x = leaf({2}), shared = mul(x, x), loss = sum(shared);
  backward(loss);
  CHECK_THROWS_WITH_AS(backward(loss), "[backward] the tape of 'sum' was already used up", ShapeError);
  CHECK_THROWS_WITH_AS(backward(sum(mul(shared, 2.0))), "[backward] the tape of 'mul' was already used up",
                       ShapeError);
}

TEST_CASE("backward explains what it cannot start from") {
  const Tensor x = leaf({1, 2});
  CHECK_THROWS_WITH_AS(backward(mul(x, x)),
                       "[backward] expects a scalar loss, got [2]; pass a gradient for other shapes",
                       ShapeError);
  CHECK_THROWS_WITH_AS(
      backward(Tensor()),
      "[backward] expects a scalar loss, got an undefined tensor; pass a gradient for other shapes",
      ShapeError);
  CHECK_THROWS_WITH_AS(backward(Tensor::ones({})),
                       "[backward] nothing to differentiate: no input of this tensor requires a gradient",
                       ShapeError);
  CHECK_THROWS_WITH_AS(backward(mul(x, x), Tensor::ones({3}, Dtype::f64)),
                       "[backward] gradient has shape [3], output [2]", ShapeError);
  CHECK_THROWS_WITH_AS(backward(mul(x, x), Tensor::ones({2})),
                       "[backward] expects tensors of one dtype, got f64 and f32", ShapeError);
}

TEST_CASE("ops whose inputs need no gradient are not recorded") {
  const Tensor x = Tensor::ones({2}), w = leaf({1, 2});
  CHECK_FALSE(mul(x, x).tracks_grad());
  CHECK(mul(w, w).tracks_grad());
  CHECK_FALSE(mul(w, w).requires_grad());
  CHECK_FALSE(mul(w.detach(), 2.0).tracks_grad());
}

TEST_CASE("NoGrad stops recording, nests, and concerns its own thread only") {
  const Tensor w = leaf({1});
  {
    const NoGrad outer;
    {
      const NoGrad inner;
      CHECK_FALSE(mul(w, w).tracks_grad());
    }
    CHECK_FALSE(mul(w, w).tracks_grad());
    CHECK_FALSE(wants_grad(w));
    bool elsewhere = false;
    std::thread([&] { elsewhere = mul(w, w).tracks_grad(); }).join();
    CHECK(elsewhere);
  }
  CHECK(mul(w, w).tracks_grad());
}

TEST_CASE("GradOnlyOf asks for one leaf's gradient and leaves parameters alone") {
  Tensor w = leaf({2, 3});
  w.set_grad(Tensor::from<double>({7, 8}, {2}));
  const Tensor earlier = mul(w, w);  // on the tape of w
  const NoGrad unrecorded;           // evaluation code asks for no gradients; the input's is wanted all the same
  Tensor x = leaf({5, 6});
  {
    const GradOnlyOf only(x);
    CHECK(wants_grad(x));
    CHECK_FALSE(wants_grad(w));
    CHECK_FALSE(wants_grad(earlier));
    CHECK_FALSE(mul(w, w).tracks_grad());
    const Tensor y = mul(w, x);
    CHECK(wants_grad(y));
    backward(sum(mul(y, earlier)));
  }
  CHECK(values(x.grad()) == std::vector<double>{8, 27});
  CHECK(values(w.grad()) == std::vector<double>{7, 8});
  CHECK_FALSE(wants_grad(x));  // NoGrad again
  CHECK_THROWS_WITH_AS(GradOnlyOf(Tensor::ones({2})), "[GradOnlyOf] expects a leaf that requires a gradient",
                       ShapeError);
}

TEST_CASE("input_gradient") {
  const Tensor w = leaf({2, 3}), x = Tensor::from<double>({5, 6}, {2});
  double value = 0;
  CHECK(values(input_gradient([&](const Tensor& at) { return sum(mul(w, square(at))); }, x, &value)) ==
        std::vector<double>{20, 36});
  CHECK(value == 2 * 25 + 3 * 36);
  CHECK_FALSE(w.grad().defined());
  CHECK_FALSE(x.requires_grad());
  CHECK_THROWS_WITH_AS(input_gradient([&](const Tensor&) { return sum(w); }, x),
                       "[input_gradient] the function does not depend on its argument", ShapeError);
  CHECK_THROWS_WITH_AS(input_gradient([&](const Tensor& at) { return mul(at, w); }, x),
                       "[input_gradient] expects a scalar function, got [2]", ShapeError);
}

TEST_CASE("inputs that need no gradient may get none") {
  const Tensor a = leaf({2}), b = leaf({3});
  const Tensor y = record("half", {a, b}, a.clone(), [](const Tensor& dy) { return Grads{dy, Tensor()}; });
  backward(y);
  CHECK(values(a.grad()) == std::vector<double>{1});
  CHECK_FALSE(b.grad().defined());
}

TEST_CASE("an op that returns wrong gradients is our bug and says which op") {
  const Tensor x = leaf({1, 2});
  const Tensor few = record("few", {x}, x.clone(), [](const Tensor&) { return Grads{}; });
  CHECK_THROWS_WITH_AS(backward(few, few.detach()), "[few] returned 0 gradients for 1 inputs", InternalError);
  const Tensor bent =
      record("bent", {x}, x.clone(), [](const Tensor&) { return Grads{Tensor::ones({3}, Dtype::f64)}; });
  CHECK_THROWS_WITH_AS(backward(bent, bent.detach()), "[bent] gradient has shape [3], its input [2]",
                       InternalError);
}

TEST_CASE("gradients of views") {
  const Tensor x = random_normal({4, 3}, Key(1));
  check_gradients([](const auto& in) { return in[0].reshape({2, 6}); }, {x});
  check_gradients([](const auto& in) { return in[0].rows(1, 3); }, {x});
  check_gradients([](const auto& in) { return mul(in[0].rows(0, 2), in[0].rows(2, 4)); }, {x});
  const Tensor w = Tensor::ones({2}).set_requires_grad();
  backward(sum(w.to(Dtype::f64).reshape({2, 1})));
  CHECK(w.grad().dtype() == Dtype::f32);
  CHECK(values(w.grad()) == std::vector<double>{1, 1});
}

TEST_CASE("what a closure holds is freed as soon as it has run") {
  const Tensor x = leaf({1});
  std::weak_ptr<int> late, early;
  bool late_alive_when_early_ran = true;
  Tensor y;
  {
    auto held = std::make_shared<int>(1);
    early = held;
    const Tensor middle = record("early", {x}, x.clone(), [&, held](const Tensor& dy) {
      late_alive_when_early_ran = !late.expired();
      return Grads{dy};
    });
    auto other = std::make_shared<int>(2);
    late = other;
    y = identity(middle, std::move(other));
  }
  CHECK_FALSE(early.expired());
  CHECK_FALSE(late.expired());
  backward(y);
  CHECK_FALSE(late_alive_when_early_ran);
  CHECK(early.expired());  // although y is alive
}

TEST_CASE("an abandoned tape frees everything") {
  std::weak_ptr<int> watch;
  {
    auto held = std::make_shared<int>(1);
    watch = held;
    const Tensor y = identity(identity(leaf({1}), std::move(held)));
    CHECK_FALSE(watch.expired());
  }
  CHECK(watch.expired());
}

TEST_CASE("chains of 200000 ops fit the stack, walked or abandoned") {
  const Tensor x = leaf({1});
  const auto chain = [&] {
    Tensor y = x;
    for (int i = 0; i < 200'000; ++i) y = y.reshape({1});
    return y;
  };
  backward(chain());
  CHECK(values(x.grad()) == std::vector<double>{1});
  chain();
}

TEST_CASE("backward walks nodes in the reverse of their creation") {
  const Tensor x = leaf({1});
  std::string order;
  const auto step = [&](const char* name, const Tensor& input) {
    return record(name, {input}, input.clone(), [&order, name](const Tensor& dy) {
      order += name;
      return Grads{dy};
    });
  };
  const Tensor a = step("a", x), b = step("b", a), c = step("c", x), d = step("d", b);
  backward(sum(add(c, d)));
  CHECK(order == "dcba");
}

TEST_CASE("FiniteCheck names the op that made a non-finite value, forward and backward") {
  const Tensor x = leaf({0, 1});
  {
    const FiniteCheck check;
    CHECK(FiniteCheck::active());
    CHECK_THROWS_WITH_AS(log(x), "op 'log' produced a non-finite value, output shape [2]", NonFiniteError);
    CHECK_THROWS_WITH_AS(backward(sum(sqrt(x))), "the gradient of op 'sqrt' is non-finite, shape [2]",
                         NonFiniteError);
  }
  CHECK_FALSE(FiniteCheck::active());
  CHECK_NOTHROW(log(x));
}

TEST_CASE("all_finite") {
  CHECK(all_finite(Tensor::ones({3})));
  CHECK(all_finite(Tensor::ones({3}, Dtype::i64)));
  CHECK(all_finite(Tensor()));
  CHECK(all_finite(Tensor::empty({0})));
  CHECK_FALSE(all_finite(Tensor::from<float>({1, NAN}, {2})));
  CHECK_FALSE(all_finite(Tensor::from<double>({-INFINITY}, {1}).to(Dtype::bf16)));
}

// The module base: names, counting, loading, initial values, conversions, where a NaN was born.
#include "layers/module.h"

#include <limits>

#include "layers/batch_norm2d.h"
#include "layers/dropout.h"
#include "layers/linear.h"
#include "layers/sequential.h"
#include "tests/layers/check_layer.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

/// Two children, one of them a container, and a parameter of its own that comes last.
class Tree : public Module {
 public:
  Tree() : first_(2, 3) {
    register_module("first", first_);
    register_module("rest", rest_);
    rest_.emplace<BatchNorm2d>(3);
    last_ = &rest_.emplace<Linear>(3, 1, /*bias=*/false);
    scale_ = &register_parameter("scale", Tensor::ones({1}));
  }
  Linear& last() { return *last_; }

 protected:
  Tensor forward(const Tensor& x, const Context& context) override {
    return rest_(first_(x, context), context) * *scale_;
  }

 private:
  Linear first_;
  Sequential rest_;
  Linear* last_;
  Tensor* scale_;
};

/// y = factor x.
class Scale : public Module {
 public:
  explicit Scale(double factor) : factor_(factor) {}

 protected:
  Tensor forward(const Tensor& x, const Context&) override { return x * factor_; }

 private:
  double factor_;
};

}  // namespace

TEST_CASE("every module below is visited, and a hook sees what each returned, inner ones first") {
  Tree tree;
  std::vector<std::string> visited, ran;
  tree.visit([&](Module& module) { visited.push_back(module.path()); });
  CHECK(visited == std::vector<std::string>{"", "first", "rest", "rest.0", "rest.1"});
  Context context = training_context();
  std::vector<Shape> shapes;
  context.module_hook = [&](const Module& module, const Tensor& output) {
    ran.push_back(module.path());
    shapes.push_back(output.shape());
  };
  tree(random_normal({4, 2}, Key(1)), context);
  CHECK(ran == std::vector<std::string>{"first", "rest.0", "rest.1", "rest", ""});
  CHECK(shapes == std::vector<Shape>{{4, 3}, {4, 3}, {4, 1}, {4, 1}, {4, 1}});
}

TEST_CASE("names join with dots, in the order of registration") {
  Tree tree;
  CHECK(names_of(tree.state()) == std::vector<std::string>{"first.weight", "first.bias", "rest.0.weight",
                                                           "rest.0.bias", "rest.0.running_mean",
                                                           "rest.0.running_var", "rest.0.num_batches_tracked",
                                                           "rest.1.weight", "scale"});
  CHECK(names_of(tree.parameters()) == std::vector<std::string>{"first.weight", "first.bias", "rest.0.weight",
                                                                "rest.0.bias", "rest.1.weight", "scale"});
  CHECK(tree.parameter_count() == 6 + 3 + 3 + 3 + 3 + 1);
  CHECK(tree.path().empty());
  CHECK(tree.last().path() == "rest.1");
  for (const auto& [name, parameter] : tree.parameters()) CHECK(parameter.requires_grad());
  CHECK_FALSE(tree.state()[4].second.requires_grad());
  CHECK(tree.state()[6].second.dtype() == Dtype::i64);
}

TEST_CASE("handles from state() share the module's elements") {
  Tree tree;
  tree.state()[0].second.copy_from(Tensor::full({3, 2}, 0.5));
  CHECK(values(tree.parameters()[0].second)[5] == 0.5);
}

TEST_CASE("load_state copies values of any floating dtype") {
  Tree source, target;
  source.initialize(Key(1));
  target.load_state(source.state());
  for (std::size_t i = 0; i < source.state().size(); ++i)
    CHECK(same_bits(source.state()[i].second, target.state()[i].second));

  Tree wide;
  wide.to(Dtype::f64);
  wide.load_state(source.state());
  CHECK(wide.state()[0].second.dtype() == Dtype::f64);
  CHECK(values(wide.state()[0].second) == values(source.state()[0].second));
}

TEST_CASE("load_state is strict, lists everything and then changes nothing") {
  Tree tree;
  tree.initialize(Key(1));
  const auto before = values(tree.state()[0].second);
  Module::Named values_to_load;
  for (const auto& [name, value] : tree.state()) values_to_load.emplace_back(name, zeros_like(value));
  values_to_load[1].second = Tensor::zeros({4});
  values_to_load[6].second = Tensor::zeros({});
  values_to_load[7].first = "rest.1.weights";
  values_to_load.emplace_back("scale", Tensor::zeros({1}));
  CHECK_THROWS_WITH_AS(tree.load_state(values_to_load),
                       "[load_state] the values do not fit the model:"
                       "\n  wrong shape: first.bias is [4], expected [3]"
                       "\n  wrong dtype: rest.0.num_batches_tracked is f32, expected i64"
                       "\n  missing: rest.1.weight [1, 3]"
                       "\n  unexpected: rest.1.weights [1, 3]"
                       "\n  given twice: scale",
                       DataError);
  CHECK(values(tree.state()[0].second) == before);
}

TEST_CASE("initial values depend on key and path only") {
  Tree a, b;
  a.initialize(Key(5));
  b.initialize(Key(5));
  CHECK(values(a.state()[0].second) == values(b.state()[0].second));
  b.initialize(Key(6));
  CHECK(values(a.state()[0].second) != values(b.state()[0].second));
  Linear alone(2, 3);  // the same layer elsewhere draws other values
  alone.initialize(Key(5));
  CHECK(values(alone.state()[0].second) != values(a.state()[0].second));
}

TEST_CASE("conversion keeps integers, and parameters stay parameters") {
  Tree tree;
  tree.initialize(Key(1));
  tree.to(Dtype::f64);
  CHECK(tree.state()[5].second.dtype() == Dtype::f64);
  CHECK(tree.state()[6].second.dtype() == Dtype::i64);
  CHECK(tree.parameters()[0].second.requires_grad());
  CHECK(tree(random_normal({4, 2}, Key(1), 0, 1, Dtype::f64), {}).dtype() == Dtype::f64);
  CHECK_THROWS_WITH_AS(tree.to(Dtype::i64), "[module] parameters need a floating dtype, not i64", ShapeError);
}

TEST_CASE("a non-finite value is reported once, with the innermost module") {
  Sequential outer;
  Sequential& inner = outer.emplace<Sequential>();
  inner.emplace<Scale>(1.0);
  inner.emplace<Scale>(std::numeric_limits<double>::infinity());
  const Tensor x = Tensor::ones({4, 1});
  CHECK_NOTHROW(outer(x, {}));  // nobody asked
  FiniteCheck check;
  CHECK_THROWS_WITH_AS(outer(x, {}),
                       "op 'mul' produced a non-finite value, output shape [4, 1], in module '0.1'",
                       NonFiniteError);
  Scale alone(std::numeric_limits<double>::quiet_NaN());
  CHECK_THROWS_WITH_AS(alone(x, {}),
                       "op 'mul' produced a non-finite value, output shape [4, 1], in the outermost module",
                       NonFiniteError);
}

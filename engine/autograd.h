// The tape: record() is its only door, backward() walks it. First order only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "engine/tensor.h"

namespace noisymix {

/// Gradients of an op's inputs, in their order; an undefined tensor means "none for this input".
using Grads = std::vector<Tensor>;
using BackwardFunction = std::function<Grads(const Tensor& dy)>;

/// One recorded op. The links from node to input nodes are the tape.
struct Node {
  const char* name;
  std::uint64_t sequence;                     // creation order: a node's inputs always have smaller numbers
  std::vector<Tensor> leaves;                 // per input: the leaf to accumulate into, or undefined
  std::vector<std::shared_ptr<Node>> inputs;  // per input: its node, or null
  BackwardFunction backward;
  ~Node();
};

/// Puts `output` on the tape with a closure from its gradient to the gradients of `inputs`, and returns it.
/// Does nothing when no input tracks a gradient or under NoGrad. The closure captures what it needs, always
/// detached, never its own output's node. While a FiniteCheck is active every output is tested first.
Tensor record(const char* name, const std::vector<Tensor>& inputs, Tensor output, BackwardFunction backward);

/// Whether record() would put an op with this input on the tape now; closures use it to skip needless
/// gradients.
bool wants_grad(const Tensor& x);

/// Gradients of a scalar `loss` with respect to every leaf that requires one, added to Tensor::grad(). The
/// tape behind `loss` is used up: every closure, and what it holds, is freed as soon as it has run.
void backward(const Tensor& loss);

/// The same from a given gradient of `output` (same shape and dtype).
void backward(const Tensor& output, const Tensor& gradient);

/// While alive, ops on this thread are not recorded.
class NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;
  /// Whether ops on this thread are not recorded now.
  static bool active();

 private:
  bool previous_;
};

/// While alive, ops on this thread are recorded (also inside NoGrad), and `leaf` is the only tensor whose
/// gradient is wanted: parameters, and whatever was recorded before, count as constants. Nothing is computed
/// for, added to or lost from them.
class GradOnlyOf {
 public:
  explicit GradOnlyOf(Tensor leaf);
  ~GradOnlyOf();
  GradOnlyOf(const GradOnlyOf&) = delete;
  GradOnlyOf& operator=(const GradOnlyOf&) = delete;

 private:
  Tensor leaf_;
  const Tensor* previous_leaf_;
  std::uint64_t previous_since_;
  bool previous_enabled_;
};

/// Gradient of a scalar function at x, of x's shape, leaving every other gradient alone; `value`, if given,
/// receives the function's value. `of` must use the tensor it is handed. Throws ShapeError when its result is
/// no scalar or does not depend on that tensor.
Tensor input_gradient(const std::function<Tensor(const Tensor& x)>& of, const Tensor& x,
                      double* value = nullptr);

/// While alive, every op on this thread tests its output and throws NonFiniteError naming the first op that
/// produced an infinity or NaN. Slow; meant for replaying a failed step.
class FiniteCheck {
 public:
  FiniteCheck();
  ~FiniteCheck();
  FiniteCheck(const FiniteCheck&) = delete;
  FiniteCheck& operator=(const FiniteCheck&) = delete;
  /// Whether a check is active on this thread.
  static bool active();

 private:
  bool previous_;
};

class NonFiniteError : public Error {
 public:
  using Error::Error;
};

/// Whether every element is finite; integer tensors always are.
bool all_finite(const Tensor& x);

}  // namespace noisymix

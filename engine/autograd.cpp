#include "engine/autograd.h"

#include <atomic>
#include <queue>
#include <unordered_map>

#include "engine/kernel.h"
#include "engine/ops/gradient_sum.h"

namespace noisymix {
namespace {

thread_local bool grad_enabled = true;
thread_local bool finite_check = false;
thread_local const Tensor* only_leaf = nullptr;  // see GradOnlyOf
thread_local std::uint64_t only_since = 0;       // nodes with smaller numbers are constants
std::atomic<std::uint64_t> next_sequence{1};

constexpr Kernel sum_kernel{"gradient sum", cpu::add_gradients, NM_CUDA(cuda::add_gradients), ""};
constexpr Kernel finite_kernel{"all_finite", cpu::finite, NM_CUDA(cuda::finite)};

/// total += part, overwriting total's memory only when nobody else can see it.
void accumulate(Tensor& total, const Tensor& part) {
  if (!total.defined()) {
    total = part;
    return;
  }
  check_same_kind("backward", total, part);
  Tensor sum = total.sole_owner() ? total : empty_like(total);
  sum_kernel(total, part, sum);
  total = sum;
}

void check_gradient(const Node& node, const Tensor& grad, const Shape* expected) {
  if (expected == nullptr || !grad.defined()) return;
  if (grad.shape() != *expected)
    fail<InternalError>("[", node.name, "] gradient has shape ", grad.shape(), ", its input ", *expected);
}

struct BySequence {
  bool operator()(const std::shared_ptr<Node>& a, const std::shared_ptr<Node>& b) const {
    return a->sequence < b->sequence;
  }
};

}  // namespace

Node::~Node() {
  // Long chains would otherwise be destroyed recursively and overflow the stack.
  std::vector<std::shared_ptr<Node>> pending = std::move(inputs);
  while (!pending.empty()) {
    std::shared_ptr<Node> node = std::move(pending.back());
    pending.pop_back();
    if (node && node.use_count() == 1) {
      for (auto& input : node->inputs) pending.push_back(std::move(input));
      node->inputs.clear();
      node->backward = nullptr;
    }
  }
}

bool wants_grad(const Tensor& x) {
  if (!grad_enabled || !x.tracks_grad()) return false;
  if (only_leaf == nullptr) return true;
  return x.node() ? x.node()->sequence >= only_since : x.is_copy_of(*only_leaf);
}

Tensor record(const char* name, const std::vector<Tensor>& inputs, Tensor output, BackwardFunction backward) {
  if (finite_check && !all_finite(output))
    fail<NonFiniteError>("op '", name, "' produced a non-finite value, output shape ", output.shape());
  bool wanted = false;
  for (const Tensor& input : inputs) wanted = wanted || wants_grad(input);
  if (!wanted) return output;
  auto node = std::make_shared<Node>();
  node->name = name;
  node->sequence = next_sequence++;
  node->backward = std::move(backward);
  for (const Tensor& input : inputs) {
    const bool asked = wants_grad(input);
    node->inputs.push_back(asked ? input.node() : nullptr);
    node->leaves.push_back(asked && !input.node() ? input : Tensor());
  }
  output.set_node(std::move(node));
  return output;
}

void backward(const Tensor& loss) {
  NM_CHECK(loss.defined() && loss.numel() == 1, "[backward] expects a scalar loss, got ",
           loss.defined() ? loss.shape().str() : "an undefined tensor", "; pass a gradient for other shapes");
  backward(loss, Tensor::ones(loss.shape(), loss.dtype(), loss.device()));
}

void backward(const Tensor& output, const Tensor& gradient) {
  NM_CHECK(output.tracks_grad(),
           "[backward] nothing to differentiate: no input of this tensor requires a gradient");
  NM_CHECK(gradient.shape() == output.shape(), "[backward] gradient has shape ", gradient.shape(),
           ", output ", output.shape());
  check_same_kind("backward", output, gradient);
  NoGrad unrecorded;
  BackwardPass pass;
  if (!output.node()) {
    Tensor leaf = output, total = leaf.grad();
    leaf.clear_grad();
    accumulate(total, gradient);
    leaf.set_grad(total);
    return;
  }
  std::unordered_map<Node*, Tensor> pending;
  std::priority_queue<std::shared_ptr<Node>, std::vector<std::shared_ptr<Node>>, BySequence> queue;
  pending[output.node().get()] = gradient;
  queue.push(output.node());
  while (!queue.empty()) {
    const std::shared_ptr<Node> node = queue.top();
    queue.pop();
    auto found = pending.find(node.get());
    const Tensor dy = std::move(found->second);
    pending.erase(found);
    NM_CHECK(node->backward != nullptr, "[backward] the tape of '", node->name, "' was already used up");
    Grads grads = node->backward(dy);
    node->backward = nullptr;  // frees the saved activations now
    if (grads.size() != node->inputs.size())
      fail<InternalError>("[", node->name, "] returned ", grads.size(), " gradients for ",
                          node->inputs.size(), " inputs");
    for (std::size_t i = 0; i < grads.size(); ++i) {
      Tensor grad = std::move(grads[i]);
      if (!grad.defined()) continue;
      if (finite_check && !all_finite(grad))
        fail<NonFiniteError>("the gradient of op '", node->name, "' is non-finite, shape ", grad.shape());
      if (const auto& input = node->inputs[i]) {
        const bool first = pending.find(input.get()) == pending.end();
        accumulate(pending[input.get()], grad);
        if (first) queue.push(input);
      } else if (node->leaves[i].defined()) {
        Tensor& leaf = node->leaves[i];
        check_gradient(*node, grad, &leaf.shape());
        Tensor total = leaf.grad();
        leaf.clear_grad();
        accumulate(total, grad);
        leaf.set_grad(total);
      }
    }
  }
}

NoGrad::NoGrad() : previous_(grad_enabled) {
  grad_enabled = false;
}
NoGrad::~NoGrad() {
  grad_enabled = previous_;
}
bool NoGrad::active() {
  return !grad_enabled;
}

GradOnlyOf::GradOnlyOf(Tensor leaf)
    : leaf_(std::move(leaf)),
      previous_leaf_(only_leaf),
      previous_since_(only_since),
      previous_enabled_(grad_enabled) {
  NM_CHECK(leaf_.requires_grad() && !leaf_.node(), "[GradOnlyOf] expects a leaf that requires a gradient");
  only_leaf = &leaf_;
  only_since = next_sequence;
  grad_enabled = true;
}
GradOnlyOf::~GradOnlyOf() {
  only_leaf = previous_leaf_;
  only_since = previous_since_;
  grad_enabled = previous_enabled_;
}

Tensor input_gradient(const std::function<Tensor(const Tensor& x)>& of, const Tensor& x, double* value) {
  Tensor leaf = x.detach();
  leaf.set_requires_grad();
  Tensor result;
  {
    const GradOnlyOf only(leaf);
    result = of(leaf);
  }
  NM_CHECK(result.defined() && result.numel() == 1, "[input_gradient] expects a scalar function, got ",
           result.defined() ? result.shape().str() : "an undefined tensor");
  NM_CHECK(result.node() != nullptr, "[input_gradient] the function does not depend on its argument");
  backward(result);
  if (value != nullptr) *value = result.item();
  return leaf.grad().defined() ? leaf.grad() : zeros_like(x);
}

FiniteCheck::FiniteCheck() : previous_(finite_check) {
  finite_check = true;
}
FiniteCheck::~FiniteCheck() {
  finite_check = previous_;
}
bool FiniteCheck::active() {
  return finite_check;
}

bool all_finite(const Tensor& x) {
  if (!x.defined() || !is_floating(x.dtype()) || x.numel() == 0) return true;
  return finite_kernel(x);
}

}  // namespace noisymix

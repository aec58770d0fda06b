#include "engine/autograd.h"

#include <atomic>
#include <cstring>
#include <limits>
#include <queue>
#include <unordered_map>

#include "engine/cpu/parallel.h"
#include "engine/cpu/vectorise.h"
#include "engine/profile.h"

namespace noisymix {
namespace {

thread_local bool grad_enabled = true;
thread_local bool finite_check = false;
std::atomic<std::uint64_t> next_sequence{1};

constexpr std::int64_t kGrain = 1 << 16;

template <typename T, typename C = compute_t<T>>
[[gnu::always_inline]] inline void add_loop(T* sum, const T* a, const T* b, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) sum[i] = T(static_cast<C>(a[i]) + static_cast<C>(b[i]));
}

/// Sets `found` when the exponent of any element has all bits set: an infinity or NaN.
template <typename Bits>
[[gnu::always_inline]] inline void non_finite_loop(const Bits* x, std::int64_t n, Bits exponent, Bits& found) {
  Bits any = 0;
  for (std::int64_t i = 0; i < n; ++i) any = static_cast<Bits>(any | static_cast<Bits>((x[i] & exponent) == exponent));
  found = any;
}

#define NM_ELEMENT_LOOPS(suffix, T, Bits)                                                                  \
  NM_VECTORISED(add_##suffix, (T * sum, const T* a, const T* b, std::int64_t n), (sum, a, b, n)) {         \
    add_loop(sum, a, b, n);                                                                                \
  }                                                                                                        \
  NM_VECTORISED(non_finite_##suffix, (const Bits* x, std::int64_t n, Bits exponent, Bits& found),          \
                (x, n, exponent, found)) {                                                                 \
    non_finite_loop(x, n, exponent, found);                                                                \
  }                                                                                                        \
  [[maybe_unused]] void add_run(T* sum, const T* a, const T* b, std::int64_t n) { add_##suffix(sum, a, b, n); } \
  [[maybe_unused]] bool finite_run(const T* x, std::int64_t n) {                                           \
    Bits exponent = 0, found = 0;                                                                          \
    const T infinity(std::numeric_limits<compute_t<T>>::infinity());                                       \
    std::memcpy(&exponent, &infinity, sizeof exponent);                                                    \
    non_finite_##suffix(reinterpret_cast<const Bits*>(x), n, exponent, found);                             \
    return found == 0;                                                                                     \
  }
NM_ELEMENT_LOOPS(f32, float, std::uint32_t)
NM_ELEMENT_LOOPS(f64, double, std::uint64_t)
NM_ELEMENT_LOOPS(bf16, bfloat16, std::uint16_t)
#undef NM_ELEMENT_LOOPS

template <typename T>
void add_elements(T* sum, const T* a, const T* b, std::int64_t count) {
  cpu::parallel_for(count, kGrain,
                    [=](std::int64_t begin, std::int64_t end) { add_run(sum + begin, a + begin, b + begin, end - begin); });
}

/// total += part, overwriting total's memory only when nobody else can see it.
void accumulate(Tensor& total, const Tensor& part) {
  if (!total.defined()) {
    total = part;
    return;
  }
  check_same_kind("backward", total, part);
  NM_CHECK_AS(DeviceError, total.device().is_cpu(), "[backward] accumulation has no CUDA kernel in this build");
  ProfileScope scope("gradient sum", "");
  scope.add_bytes(3.0 * static_cast<double>(total.bytes()));
  Tensor sum = total.sole_owner() ? total : empty_like(total);
  dispatch_floating("backward", total.dtype(), [&]<typename T>() {
    add_elements(sum.mutable_data<T>(), total.data<T>(), part.data<T>(), total.numel());
  });
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

bool wants_grad(const Tensor& x) { return grad_enabled && x.tracks_grad(); }

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
    node->inputs.push_back(input.node());
    node->leaves.push_back(input.requires_grad() && !input.node() ? input : Tensor());
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
  NM_CHECK(output.tracks_grad(), "[backward] nothing to differentiate: no input of this tensor requires a gradient");
  NM_CHECK(gradient.shape() == output.shape(), "[backward] gradient has shape ", gradient.shape(), ", output ",
           output.shape());
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
      fail<InternalError>("[", node->name, "] returned ", grads.size(), " gradients for ", node->inputs.size(),
                          " inputs");
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

NoGrad::NoGrad() : previous_(grad_enabled) { grad_enabled = false; }
NoGrad::~NoGrad() { grad_enabled = previous_; }
bool NoGrad::active() { return !grad_enabled; }

FiniteCheck::FiniteCheck() : previous_(finite_check) { finite_check = true; }
FiniteCheck::~FiniteCheck() { finite_check = previous_; }
bool FiniteCheck::active() { return finite_check; }

bool all_finite(const Tensor& x) {
  if (!x.defined() || !is_floating(x.dtype())) return true;
  const Tensor host = x.detach().to(Device{});
  return dispatch_floating("all_finite", host.dtype(), [&]<typename T>() {
    const T* values = host.data<T>();
    std::atomic<bool> finite = true;
    cpu::parallel_for(host.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      if (finite && !finite_run(values + begin, end - begin)) finite = false;
    });
    return finite.load();
  });
}

}  // namespace noisymix

#include "engine/optim/optimizer.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "engine/cpu/parallel.h"

namespace noisymix {
namespace {

constexpr const char* kSteps = "steps";

std::string kind_of(const Tensor& x) {
  return std::string(name_of(x.dtype())) + " " + x.shape().str();
}

/// The values by name; names that are doubled or not expected go to `faults`.
std::map<std::string, Tensor> by_name(const Optimizer::Named& values, const Optimizer::Named& expected,
                                      std::string& faults) {
  std::map<std::string, Tensor> wanted(expected.begin(), expected.end()), found;
  for (const auto& [name, tensor] : values) {
    if (!wanted.contains(name))
      faults += "; unexpected " + name;
    else if (!found.emplace(name, tensor).second)
      faults += "; doubled " + name;
  }
  return found;
}

}  // namespace

Optimizer::Optimizer(const char* name, Named parameters, std::vector<std::string> memory)
    : name_(name), parameters_(std::move(parameters)), memory_names_(std::move(memory)) {
  std::map<std::string, int> uses;
  for (const auto& [key, weight] : parameters_) {
    NM_CHECK(++uses[key] == 1, "[", name_, "] two parameters are called '", key, "'");
    NM_CHECK(weight.defined(), "[", name_, "] parameter '", key, "' is undefined");
    NM_CHECK(weight.dtype() == Dtype::f32 || weight.dtype() == Dtype::f64, "[", name_, "] parameter '", key,
             "' is ", weight.dtype(), ", expected f32 or f64");
    NM_CHECK(weight.device() == parameters_.front().second.device(), "[", name_, "] parameter '", key,
             "' is on ", weight.device(), ", others on ", parameters_.front().second.device());
    Slot slot;
    for (std::size_t i = 0; i < memory_names_.size(); ++i) slot.memory.push_back(zeros_like(weight));
    slot.steps = Tensor::zeros({}, Dtype::i64);
    slots_.push_back(std::move(slot));
  }
}

void Optimizer::step(double learning_rate, const Tensor& held_back) {
  NM_CHECK(std::isfinite(learning_rate), "[", name_, "] learning rate ", learning_rate, " is not finite");
  Sweep sweep;
  sweep.held_back = held_back;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const auto& [key, weight] = parameters_[i];
    const Tensor grad = weight.grad();
    if (!grad.defined()) continue;
    NM_CHECK(grad.dtype() == weight.dtype() && grad.device() == weight.device(), "[", name_,
             "] gradient of '", key, "' is ", grad.dtype(), " on ", grad.device(), ", the parameter ",
             weight.dtype(), " on ", weight.device());
    sweep.updates.push_back(
        {weight, grad, slots_[i].memory, ++*slots_[i].steps.mutable_data<std::int64_t>()});
  }
  if (!sweep.updates.empty()) apply(sweep, learning_rate);
}

std::vector<StepValue> Optimizer::step_values(double learning_rate) const {
  std::int64_t steps = 0;  // all parameters of a recorded step have made equally many
  for (const Slot& slot : slots_) steps = std::max(steps, slot.steps.data<std::int64_t>()[0]);
  return {{"learning_rate", packed_rate(learning_rate, steps + 1)}};
}

void Optimizer::count_step() {
  for (Slot& slot : slots_) ++*slot.steps.mutable_data<std::int64_t>();
}

void Optimizer::uncount_step() {
  for (Slot& slot : slots_) --*slot.steps.mutable_data<std::int64_t>();
}

std::vector<Tensor> Optimizer::gradients() const {
  std::vector<Tensor> found;
  for (const auto& [key, weight] : parameters_)
    if (weight.grad().defined()) found.push_back(weight.grad());
  return found;
}

void Optimizer::clear_grads() {
  for (auto& [key, weight] : parameters_) weight.clear_grad();
}

Optimizer::Named Optimizer::state() const {
  Named result;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const std::string& key = parameters_[i].first;
    for (std::size_t k = 0; k < memory_names_.size(); ++k)
      result.emplace_back(key + "." + memory_names_[k], slots_[i].memory[k]);
    result.emplace_back(key + "." + kSteps, slots_[i].steps);
  }
  return result;
}

void Optimizer::load_state(const Named& values) {
  const Named current = state();
  std::string faults;
  const auto found = by_name(values, current, faults);
  for (const auto& [name, tensor] : current) {
    const auto match = found.find(name);
    if (match == found.end()) {
      faults += "; missing " + name;
    } else if (!match->second.defined() || match->second.shape() != tensor.shape() ||
               match->second.dtype() != tensor.dtype()) {
      faults += "; " + name + " is " + (match->second.defined() ? kind_of(match->second) : "undefined") +
                ", expected " + kind_of(tensor);
    }
  }
  NM_CHECK_AS(DataError, faults.empty(), "[", name_,
              "] state does not fit the parameters: ", faults.substr(2));
  for (const auto& [name, tensor] : current) {
    Tensor target = tensor;
    target.copy_from(found.at(name).to(tensor.device()));
  }
}

namespace cpu {

void for_each_piece(
    Sweep& sweep,
    const std::function<void(ParameterUpdate& update, std::int64_t begin, std::int64_t end)>& body) {
  constexpr std::int64_t kPiece =
      1 << 14;  // elements; fixed, so that results do not depend on the thread count
  struct Piece {
    ParameterUpdate* update;
    std::int64_t begin, end;
  };
  std::vector<Piece> pieces;
  for (ParameterUpdate& update : sweep.updates)
    for (std::int64_t begin = 0; begin < update.weight.numel(); begin += kPiece)
      pieces.push_back({&update, begin, std::min(begin + kPiece, update.weight.numel())});
  parallel_for(static_cast<std::int64_t>(pieces.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const Piece& piece = pieces[static_cast<std::size_t>(i)];
      body(*piece.update, piece.begin, piece.end);
    }
  });
}

}  // namespace cpu

}  // namespace noisymix

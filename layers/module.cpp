#include "layers/module.h"

#include <map>

#include "engine/autograd.h"

namespace noisymix {
namespace {

/// A NonFiniteError that already names its module; outer modules let it pass.
class LocatedNonFiniteError : public NonFiniteError {
 public:
  using NonFiniteError::NonFiniteError;
};

/// Everything wrong with `values` as the content of `state`, one line each; empty when they fit.
std::string state_problems(const Module::Named& state, const std::map<std::string, const Tensor*>& by_name,
                           const Module::Named& values) {
  std::ostringstream problems;
  std::map<std::string, const Tensor*> expected;
  for (const auto& [name, target] : state) {
    expected[name] = &target;
    const auto found = by_name.find(name);
    if (found == by_name.end()) {
      problems << "\n  missing: " << name << " " << target.shape();
      continue;
    }
    const Tensor& value = *found->second;
    if (value.shape() != target.shape())
      problems << "\n  wrong shape: " << name << " is " << value.shape() << ", expected " << target.shape();
    else if (value.dtype() != target.dtype() && !(is_floating(value.dtype()) && is_floating(target.dtype())))
      problems << "\n  wrong dtype: " << name << " is " << value.dtype() << ", expected " << target.dtype();
  }
  for (const auto& [name, value] : values) {
    if (!expected.contains(name))
      problems << "\n  unexpected: " << name << " " << value.shape();
    else if (by_name.at(name) != &value)
      problems << "\n  given twice: " << name;
  }
  return problems.str();
}

}  // namespace

Tensor Module::operator()(const Tensor& x, const Context& context) {
  Tensor y = located([&] { return forward(x, context); });
  if (context.module_hook) context.module_hook(*this, y);
  return y;
}

Tensor Module::located(const std::function<Tensor()>& body) const {
  try {
    return body();
  } catch (const LocatedNonFiniteError&) {
    throw;
  } catch (const NonFiniteError& error) {
    const std::string where = path();
    fail<LocatedNonFiniteError>(error.what(), ", in ",
                                where.empty() ? "the outermost module" : "module '" + where + "'");
  }
}

std::string Module::path() const {
  if (parent_ == nullptr) return name_;
  const std::string above = parent_->path();
  return above.empty() || name_.empty() ? above + name_ : above + "." + name_;
}

void Module::collect(const std::string& prefix, bool buffers_too, Named& out) const {
  for (const Entry& entry : entries_) {
    if (entry.child != nullptr)
      entry.child->collect(entry.name.empty() ? prefix : prefix + entry.name + ".", buffers_too, out);
    else if (entry.is_parameter || buffers_too)
      out.emplace_back(prefix + entry.name, *entry.tensor);
  }
}

Module::Named Module::parameters() const {
  Named result;
  collect("", false, result);
  return result;
}

Module::Named Module::state() const {
  Named result;
  collect("", true, result);
  return result;
}

std::int64_t Module::parameter_count() const {
  std::int64_t count = 0;
  for (const auto& [name, parameter] : parameters()) count += parameter.numel();
  return count;
}

void Module::load_state(const Named& values) {
  Named targets = state();
  std::map<std::string, const Tensor*> by_name;
  for (const auto& [name, value] : values) by_name.emplace(name, &value);
  const std::string problems = state_problems(targets, by_name, values);
  NM_CHECK_AS(DataError, problems.empty(), "[load_state] the values do not fit the model:", problems);
  NoGrad unrecorded;
  for (auto& [name, target] : targets)
    target.copy_from(by_name.at(name)->detach().to(target.dtype()).to(target.device()));
}

void Module::initialize(Key key) {
  NoGrad unrecorded;
  reset_parameters(key.child(path()));
  for (const Entry& entry : entries_)
    if (entry.child != nullptr) entry.child->initialize(key);
}

template <typename Convert>
void Module::replace_tensors(const Convert& convert) {
  for (Entry& entry : entries_) {
    if (entry.child != nullptr) {
      entry.child->replace_tensors(convert);
      continue;
    }
    *entry.tensor = convert(entry.tensor->detach());
    if (entry.is_parameter) entry.tensor->set_requires_grad();
  }
}

void Module::to(Dtype dtype) {
  NM_CHECK(is_floating(dtype), "[module] parameters need a floating dtype, not ", dtype);
  replace_tensors([&](const Tensor& x) { return is_floating(x.dtype()) ? x.to(dtype) : x; });
}

void Module::visit(const std::function<void(Module&)>& body) {
  body(*this);
  for (const Entry& entry : entries_)
    if (entry.child != nullptr) entry.child->visit(body);
}

std::vector<std::string> Module::drawing_modules() const {
  std::vector<std::string> paths;
  if (draws()) paths.push_back(path());
  for (const Entry& entry : entries_) {
    if (entry.child == nullptr) continue;
    for (std::string& below : entry.child->drawing_modules()) paths.push_back(std::move(below));
  }
  return paths;
}

Device Module::device() const {
  const Named tensors = state();
  return tensors.empty() ? Device{} : tensors.front().second.device();
}

void Module::to(Device target) {
  replace_tensors([&](const Tensor& x) { return x.to(target); });
}

Tensor& Module::register_parameter(std::string name, Tensor value) {
  Tensor& stored = register_buffer(std::move(name), std::move(value));
  stored.set_requires_grad();
  entries_.back().is_parameter = true;
  return stored;
}

Tensor& Module::register_buffer(std::string name, Tensor value) {
  NM_ASSERT(value.defined() && !name.empty() && name.find('.') == std::string::npos);
  entries_.push_back({std::move(name), std::make_unique<Tensor>(std::move(value)), false, nullptr});
  return *entries_.back().tensor;
}

void Module::register_module(std::string name, Module& child) {
  NM_ASSERT(child.parent_ == nullptr && name.find('.') == std::string::npos);
  child.parent_ = this;
  child.name_ = name;
  entries_.push_back({std::move(name), nullptr, false, &child});
}

}  // namespace noisymix

// Modules in a row.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "layers/module.h"

namespace noisymix {

/// Owns its children, named "0", "1", "2" unless told otherwise, and applies them in this order; without
/// children it passes x through.
class Sequential : public Module {
 public:
  /// Constructs a child of type M in place and appends it.
  template <typename M, typename... Args>
  M& emplace(Args&&... args) {
    return emplace_named<M>(std::to_string(children_.size()), std::forward<Args>(args)...);
  }

  /// The same under a name of its own.
  template <typename M, typename... Args>
  M& emplace_named(const std::string& name, Args&&... args) {
    auto child = std::make_unique<M>(std::forward<Args>(args)...);
    M& result = *child;
    register_module(name, result);
    children_.push_back(std::move(child));
    return result;
  }

  std::size_t size() const { return children_.size(); }
  Module& operator[](std::size_t i) { return *children_.at(i); }

  /// Applies the children begin, ..., end - 1 only.
  Tensor run(const Tensor& x, const Context& context, std::size_t begin, std::size_t end) {
    Tensor y = x;
    for (std::size_t i = begin; i < end; ++i) y = (*this)[i](y, context);
    return y;
  }

 protected:
  Tensor forward(const Tensor& x, const Context& context) override { return run(x, context, 0, size()); }

 private:
  std::vector<std::unique_ptr<Module>> children_;
};

}  // namespace noisymix

// Modules in a row.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "layers/module.h"

namespace noisymix {

/// Owns its children, named "0", "1", "2", and applies them in this order; without children it passes x
/// through.
class Sequential : public Module {
 public:
  /// Constructs a child of type M in place and appends it.
  template <typename M, typename... Args>
  M& emplace(Args&&... args) {
    auto child = std::make_unique<M>(std::forward<Args>(args)...);
    M& result = *child;
    register_module(std::to_string(children_.size()), result);
    children_.push_back(std::move(child));
    return result;
  }

  std::size_t size() const { return children_.size(); }
  Module& operator[](std::size_t i) { return *children_.at(i); }

 protected:
  Tensor forward(const Tensor& x, const Context& context) override {
    Tensor y = x;
    for (const auto& child : children_) y = (*child)(y, context);
    return y;
  }

 private:
  std::vector<std::unique_ptr<Module>> children_;
};

}  // namespace noisymix

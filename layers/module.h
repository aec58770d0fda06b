// Base of layers and models: named parameters, buffers and children with dotted names as PyTorch gives them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/tensor.h"
#include "layers/context.h"

namespace noisymix {

/// Parameters require gradients; buffers are state without (running_mean). Modules are neither copied nor
/// moved: members are held by value, and the constructor registers them in state-dict order. A new module's
/// weights are zeros until initialize() or load_state(); make_model() does the former.
class Module {
 public:
  Module() = default;
  virtual ~Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  /// Runs forward(). A NonFiniteError on the way (see FiniteCheck) leaves with the dotted path of the
  /// innermost module.
  Tensor operator()(const Tensor& x, const Context& context);

  /// Dotted name from the root, for example "layer1.0.conv1"; empty for the root.
  std::string path() const;

  using Named = std::vector<std::pair<std::string, Tensor>>;
  /// All parameters / all parameters and buffers below, in registration order, with names relative to this
  /// module.
  Named parameters() const;
  Named state() const;
  std::int64_t parameter_count() const;
  /// Where its tensors are; the CPU when it has none.
  Device device() const;

  /// Copies values into the state by name; `values` are in this library's layout (OHWI), any floating dtype
  /// serves for a floating one. Strict: everything missing, unexpected, doubled or misshaped is listed in one
  /// DataError and nothing is changed.
  void load_state(const Named& values);

  /// Calls body with this module and every one below it, in registration order.
  void visit(const std::function<void(Module&)>& body);

  /// Paths of the modules below that draw from the context's key in training, in registration order: that in
  /// which a forward pass reaches them.
  std::vector<std::string> drawing_modules() const;

  /// Draws initial values of every parameter from key.child(path) (library default of each layer type).
  void initialize(Key key);

  /// Converts floating parameters and buffers / moves everything. Makes new tensors without gradients, so do
  /// it before handles are given to an optimizer.
  void to(Dtype dtype);
  void to(Device target);

 protected:
  virtual Tensor forward(const Tensor& x, const Context& context) = 0;
  /// What operator() does around forward(), for modules that can be called in another way as well.
  Tensor located(const std::function<Tensor()>& body) const;
  /// Whether a training forward draws from the context's key.
  virtual bool draws() const { return false; }
  /// Fills this module's own parameters (not its children's); the default does nothing.
  virtual void reset_parameters(Key) {}

  /// The returned reference stays valid for the life of the module.
  Tensor& register_parameter(std::string name, Tensor value);
  Tensor& register_buffer(std::string name, Tensor value);
  /// The child must live as long as this module, as a member does. An empty name adds nothing to the names
  /// below.
  void register_module(std::string name, Module& child);

 private:
  struct Entry {  // parameter, buffer or child, in one list to keep the order of a state dict
    std::string name;
    std::unique_ptr<Tensor> tensor;
    bool is_parameter = false;
    Module* child = nullptr;
  };
  void collect(const std::string& prefix, bool buffers_too, Named& out) const;
  template <typename Convert>
  void replace_tensors(const Convert& convert);

  std::vector<Entry> entries_;
  Module* parent_ = nullptr;
  std::string name_;
};

}  // namespace noisymix

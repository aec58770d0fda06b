// The tensor: a cheap shared handle to contiguous, row-major elements on one device.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "engine/device.h"
#include "engine/dtype.h"
#include "engine/shape.h"
#include "engine/storage.h"

namespace noisymix {

struct Node;
struct Recipe;

/// Copies of a Tensor share the elements, the gradient and the place on the tape; detach() shares only the elements.
/// Images and feature maps are NHWC, convolution weights OHWI.
class Tensor {
 public:
  /// An undefined tensor: no elements, defined() is false.
  Tensor() = default;

  /// Uninitialised elements. Throws DeviceError when memory runs out.
  static Tensor empty(const Shape& shape, Dtype dtype = Dtype::f32, Device device = {});
  static Tensor zeros(const Shape& shape, Dtype dtype = Dtype::f32, Device device = {});
  static Tensor ones(const Shape& shape, Dtype dtype = Dtype::f32, Device device = {});
  static Tensor full(const Shape& shape, double value, Dtype dtype = Dtype::f32, Device device = {});
  /// Copies the values; their count must be shape.numel(). The dtype is that of T.
  template <typename T>
  static Tensor from(const std::vector<T>& values, const Shape& shape, Device device = {}) {
    NM_CHECK(static_cast<std::int64_t>(values.size()) == shape.numel(), "[tensor] ", values.size(),
             " values do not fill shape ", shape);
    return from_bytes(values.data(), shape, dtype_of<T>(), device);
  }
  /// A scalar tensor (shape []).
  static Tensor scalar(double value, Dtype dtype = Dtype::f32, Device device = {});
  /// Copies shape.numel() * size_of(dtype) bytes from host memory.
  static Tensor from_bytes(const void* data, const Shape& shape, Dtype dtype, Device device = {});

  bool defined() const { return impl_ != nullptr; }
  const Shape& shape() const;
  /// Size along an axis; negative axes count from the end.
  std::int64_t dim(int axis) const { return shape()[axis]; }
  int rank() const { return shape().rank(); }
  std::int64_t numel() const { return shape().numel(); }
  Dtype dtype() const;
  Device device() const;
  std::size_t bytes() const { return static_cast<std::size_t>(numel()) * size_of(dtype()); }

  /// Elements for reading; T must be the dtype's C++ type. Device memory for a CUDA tensor.
  template <typename T>
  const T* data() const {
    check_type(dtype_of<T>());
    return reinterpret_cast<const T*>(raw());
  }
  /// Elements for writing: for kernels filling fresh outputs, optimizers, buffers and loading only.
  template <typename T>
  T* mutable_data() {
    check_type(dtype_of<T>());
    return reinterpret_cast<T*>(raw());
  }
  std::byte* raw() const;
  /// All elements copied to the host.
  template <typename T>
  std::vector<T> to_vector() const {
    check_type(dtype_of<T>());
    std::vector<T> values(static_cast<std::size_t>(numel()));
    copy_to_host(values.data());
    return values;
  }
  /// The only element, as double. Throws ShapeError when numel() is not 1.
  double item() const;

  /// The same elements under another shape; one size may be -1. Shares storage; recorded on the tape.
  Tensor reshape(const std::vector<std::int64_t>& dims) const;
  Tensor reshape(std::initializer_list<std::int64_t> dims) const { return reshape(std::vector<std::int64_t>(dims)); }
  Tensor reshape(const Shape& shape) const { return reshape(shape.dims()); }
  /// Rows [begin, end) of the first axis. Shares storage; recorded on the tape.
  Tensor rows(std::int64_t begin, std::int64_t end) const;
  /// Shares the elements, forgets the tape.
  Tensor detach() const;
  /// A copy of the elements with no tape.
  Tensor clone() const;
  /// Conversion (recorded) and device copy. Return *this when nothing changes.
  Tensor to(Dtype dtype) const;
  Tensor to(Device device) const;
  /// Overwrites the elements with those of `source` (same shape and dtype). Not recorded.
  void copy_from(const Tensor& source);

  /// Marks a leaf (a parameter) whose gradient is wanted. Floating dtypes only.
  Tensor& set_requires_grad(bool on = true);
  bool requires_grad() const;
  /// Whether an op on this tensor must be recorded: it requires a gradient or stems from one that does.
  bool tracks_grad() const;
  /// The accumulated gradient of a leaf, undefined before backward().
  Tensor grad() const;
  void set_grad(const Tensor& grad);
  void clear_grad() { set_grad(Tensor()); }

  /// Node that produced this tensor, or null. For engine/autograd only.
  const std::shared_ptr<Node>& node() const;
  void set_node(std::shared_ptr<Node> node);
  /// Whether both are copies of one handle, with one gradient and one place on the tape.
  bool is_copy_of(const Tensor& other) const { return impl_ == other.impl_; }
  /// Whether no other handle shares these elements, so that they may be overwritten.
  bool sole_owner() const;
  /// How to compute the elements again from others that are kept anyway, if an op said so; else null. See Saved.
  const std::shared_ptr<Recipe>& recipe() const;
  /// `make` must give the same bits again. For cheap ops whose output only later ops would keep.
  void set_recipe(std::function<Tensor()> make);

  /// Shape, dtype and up to a few elements, for messages and debugging.
  std::string str() const;

 private:
  friend struct Recipe;
  friend class Saved;
  struct Impl;
  explicit Tensor(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  Tensor view(const Shape& shape, std::size_t byte_offset) const;
  void check_type(Dtype wanted) const;
  void copy_to_host(void* target) const;
  std::shared_ptr<Impl> impl_;
};

/// What an op keeps of an input for its gradient: the elements, or, for the price of computing them a second time, only
/// the recipe. Half of a residual network's activations are outputs of batch norms and need not be kept.
class Saved {
 public:
  Saved() = default;
  explicit Saved(const Tensor& x);
  bool defined() const { return recipe_ != nullptr || elements_.defined(); }
  /// The elements, without a tape. Undefined when nothing was saved.
  Tensor get() const;

 private:
  Tensor elements_;
  std::shared_ptr<Recipe> recipe_;
};

/// Uninitialised tensor of the same shape, dtype and device.
Tensor empty_like(const Tensor& x);
Tensor zeros_like(const Tensor& x);

/// Throws ShapeError unless both tensors have one dtype and one device.
void check_same_kind(const char* op, const Tensor& a, const Tensor& b);

/// Throws ShapeError unless the parameter called `name` has the device of x and its dtype, or, with x in bf16, f32
/// (mixed precision).
void check_parameter(const char* op, const char* name, const Tensor& x, const Tensor& parameter);

}  // namespace noisymix

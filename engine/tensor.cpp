#include "engine/tensor.h"

#include <algorithm>
#include <cstring>
#include <sstream>

#include "engine/autograd.h"
#include "engine/backend.h"
#include "engine/kernel.h"
#include "engine/ops/convert.h"

namespace noisymix {

struct Tensor::Impl {
  std::shared_ptr<Storage> storage;
  std::size_t offset = 0;
  Shape shape;
  Dtype dtype = Dtype::f32;
  bool requires_grad = false;
  std::shared_ptr<Node> node;
  std::shared_ptr<Recipe> recipe;
  Tensor grad;
};

struct Recipe {
  std::function<Tensor()> make;
  std::weak_ptr<Tensor::Impl> made;  // the elements, while anybody holds them
};

namespace {

constexpr Kernel convert_kernel{"to", cpu::convert, NM_CUDA(cuda::convert)};
constexpr Kernel fill_kernel{"full", cpu::fill, NM_CUDA(cuda::fill)};

}  // namespace

Tensor Tensor::empty(const Shape& shape, Dtype dtype, Device device) {
  auto impl = std::make_shared<Impl>();
  impl->storage = std::make_shared<Storage>(static_cast<std::size_t>(shape.numel()) * size_of(dtype), device);
  impl->shape = shape;
  impl->dtype = dtype;
  return Tensor(std::move(impl));
}

Tensor Tensor::full(const Shape& shape, double value, Dtype dtype, Device device) {
  Tensor result = empty(shape, dtype, device);
  fill_kernel(result, value);
  return result;
}

Tensor Tensor::zeros(const Shape& shape, Dtype dtype, Device device) { return full(shape, 0, dtype, device); }
Tensor Tensor::ones(const Shape& shape, Dtype dtype, Device device) { return full(shape, 1, dtype, device); }
Tensor Tensor::scalar(double value, Dtype dtype, Device device) { return full({}, value, dtype, device); }

Tensor Tensor::from_bytes(const void* data, const Shape& shape, Dtype dtype, Device device) {
  Tensor result = empty(shape, dtype, device);
  backend_of(device).copy(result.raw(), data, result.bytes(), Copy::to_device);
  return result;
}

const Shape& Tensor::shape() const {
  NM_CHECK(defined(), "[tensor] shape of an undefined tensor");
  return impl_->shape;
}

Dtype Tensor::dtype() const {
  NM_CHECK(defined(), "[tensor] dtype of an undefined tensor");
  return impl_->dtype;
}

Device Tensor::device() const {
  NM_CHECK(defined(), "[tensor] device of an undefined tensor");
  return impl_->storage->device();
}

std::byte* Tensor::raw() const {
  NM_CHECK(defined(), "[tensor] elements of an undefined tensor");
  return impl_->storage->data() + impl_->offset;
}

void Tensor::check_type(Dtype wanted) const {
  NM_CHECK(dtype() == wanted, "[tensor] elements are ", dtype(), ", asked for as ", wanted);
}

void Tensor::copy_to_host(void* target) const { backend_of(device()).copy(target, raw(), bytes(), Copy::to_host); }

double Tensor::item() const {
  NM_CHECK(numel() == 1, "[item] expects a tensor with one element, got shape ", shape());
  return dispatch_all(dtype(), [&]<typename T>() { return convert_value<double>(to_vector<T>()[0]); });
}

Tensor Tensor::view(const Shape& shape, std::size_t byte_offset) const {
  auto impl = std::make_shared<Impl>();
  impl->storage = impl_->storage;
  impl->offset = impl_->offset + byte_offset;
  impl->shape = shape;
  impl->dtype = impl_->dtype;
  return Tensor(std::move(impl));
}

Tensor Tensor::reshape(const std::vector<std::int64_t>& dims) const {
  std::vector<std::int64_t> sizes = dims;
  const auto open = std::find(sizes.begin(), sizes.end(), -1);
  if (open != sizes.end()) {
    NM_CHECK(std::count(sizes.begin(), sizes.end(), -1) == 1, "[reshape] only one size may be -1");
    *open = 1;
    const std::int64_t known = Shape(sizes).numel();
    *open = known > 0 ? numel() / known : 0;
  }
  const Shape target(sizes);
  NM_CHECK(target.numel() == numel(), "[reshape] cannot turn ", shape(), " (", numel(), " elements) into ", target);
  if (!wants_grad(*this)) return view(target, 0);  // no new values, so nothing for a FiniteCheck to test either
  return record("reshape", {*this}, view(target, 0),
                [from = shape()](const Tensor& dy) { return Grads{dy.reshape(from)}; });
}

Tensor Tensor::rows(std::int64_t begin, std::int64_t end) const {
  NM_CHECK(rank() >= 1, "[rows] expects at least one axis");
  NM_CHECK(begin >= 0 && begin <= end && end <= dim(0), "[rows] range ", begin, "..", end, " is outside shape ",
           shape());
  std::vector<std::int64_t> dims = shape().dims();
  dims[0] = end - begin;
  const Shape part(dims);
  const std::int64_t row = dim(0) > 0 ? numel() / dim(0) : 0;
  const std::size_t offset = static_cast<std::size_t>(begin * row) * size_of(dtype());
  if (!wants_grad(*this)) return view(part, offset);
  return record("rows", {*this}, view(part, offset), [from = shape(), offset](const Tensor& dy) {
    Tensor dx = Tensor::zeros(from, dy.dtype(), dy.device());
    backend_of(dy.device()).copy(dx.raw() + offset, dy.raw(), dy.bytes(), Copy::within);
    return Grads{dx};
  });
}

Tensor Tensor::detach() const { return defined() ? view(shape(), 0) : Tensor(); }

Tensor Tensor::clone() const {
  Tensor copy = empty(shape(), dtype(), device());
  backend_of(device()).copy(copy.raw(), raw(), bytes(), Copy::within);
  return copy;
}

Tensor Tensor::to(Dtype target) const {
  if (target == dtype()) return *this;
  Tensor result = empty(shape(), target, device());
  convert_kernel(*this, result);
  return record("to", {*this}, result,
                [source = dtype()](const Tensor& dy) { return Grads{dy.to(source)}; });
}

Tensor Tensor::to(Device target) const {
  if (target == device()) return *this;
  Tensor result = empty(shape(), dtype(), target);
  if (target.is_cpu()) {
    backend_of(device()).copy(result.raw(), raw(), bytes(), Copy::to_host);
  } else if (device().is_cpu()) {
    backend_of(target).copy(result.raw(), raw(), bytes(), Copy::to_device);
  } else {  // between GPUs, through the host
    const Tensor host = detach().to(Device{});
    backend_of(target).copy(result.raw(), host.raw(), bytes(), Copy::to_device);
  }
  return record("to_device", {*this}, result,
                [source = device()](const Tensor& dy) { return Grads{dy.to(source)}; });
}

void Tensor::copy_from(const Tensor& source) {
  NM_CHECK(shape() == source.shape() && dtype() == source.dtype(), "[copy_from] expects ", dtype(), " ", shape(),
           ", got ", source.dtype(), " ", source.shape());
  const Tensor near = source.device() == device() || device().is_cpu() ? source : source.detach().to(device());
  const bool same = near.device() == device();
  backend_of(near.device()).copy(raw(), near.raw(), bytes(), same ? Copy::within : Copy::to_host);
}

Tensor& Tensor::set_requires_grad(bool on) {
  NM_CHECK(is_floating(dtype()), "[set_requires_grad] only floating tensors have gradients, this is ", dtype());
  impl_->requires_grad = on;
  return *this;
}

bool Tensor::requires_grad() const { return defined() && impl_->requires_grad; }
bool Tensor::tracks_grad() const { return defined() && (impl_->requires_grad || impl_->node != nullptr); }
Tensor Tensor::grad() const { return defined() ? impl_->grad : Tensor(); }

void Tensor::set_grad(const Tensor& grad) {
  NM_CHECK(defined(), "[set_grad] on an undefined tensor");
  NM_CHECK(!grad.defined() || grad.shape() == shape(), "[set_grad] expects shape ", shape(), ", got ",
           grad.defined() ? grad.shape() : Shape{});
  impl_->grad = grad;
}

const std::shared_ptr<Node>& Tensor::node() const {
  static const std::shared_ptr<Node> none;
  return defined() ? impl_->node : none;
}

void Tensor::set_node(std::shared_ptr<Node> node) { impl_->node = std::move(node); }

const std::shared_ptr<Recipe>& Tensor::recipe() const {
  static const std::shared_ptr<Recipe> none;
  return defined() ? impl_->recipe : none;
}

void Tensor::set_recipe(std::function<Tensor()> make) {
  impl_->recipe = std::make_shared<Recipe>(Recipe{std::move(make), impl_});
}

Saved::Saved(const Tensor& x) : recipe_(x.recipe()) {
  if (!recipe_) elements_ = x.detach();
}

Tensor Saved::get() const {
  if (!recipe_) return elements_;
  if (auto alive = recipe_->made.lock()) return Tensor(std::move(alive)).detach();
  const NoGrad unrecorded;
  const Tensor made = recipe_->make();
  recipe_->made = made.impl_;
  return made;
}

bool Tensor::sole_owner() const { return impl_.use_count() == 1 && impl_->storage.use_count() == 1; }

std::string Tensor::str() const {
  if (!defined()) return "Tensor(undefined)";
  std::ostringstream out;
  out << "Tensor(" << dtype() << " " << shape() << " on " << device() << ":";
  const std::int64_t shown = std::min<std::int64_t>(numel(), 8);
  Tensor host = detach().to(Device{});
  dispatch_all(dtype(), [&]<typename T>() {
    for (std::int64_t i = 0; i < shown; ++i) out << " " << convert_value<double>(host.data<T>()[i]);
  });
  if (shown < numel()) out << " ...";
  out << ")";
  return out.str();
}

Tensor empty_like(const Tensor& x) { return Tensor::empty(x.shape(), x.dtype(), x.device()); }
Tensor zeros_like(const Tensor& x) { return Tensor::zeros(x.shape(), x.dtype(), x.device()); }

void check_same_kind(const char* op, const Tensor& a, const Tensor& b) {
  NM_CHECK(a.dtype() == b.dtype(), "[", op, "] expects tensors of one dtype, got ", a.dtype(), " and ", b.dtype());
  NM_CHECK(a.device() == b.device(), "[", op, "] expects tensors on one device, got ", a.device(), " and ", b.device());
}

void check_parameter(const char* op, const char* name, const Tensor& x, const Tensor& parameter) {
  const bool mixed = x.dtype() == Dtype::bf16 && parameter.dtype() == Dtype::f32;
  NM_CHECK(mixed || parameter.dtype() == x.dtype(), "[", op, "] expects ", name, " in the dtype of x, ", x.dtype(),
           x.dtype() == Dtype::bf16 ? ", or in f32" : "", "; got ", parameter.dtype());
  NM_CHECK(parameter.device() == x.device(), "[", op, "] expects tensors on one device, got x on ", x.device(), " and ",
           name, " on ", parameter.device());
}

}  // namespace noisymix

#include "engine/cuda/cudnn_conv.h"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <sstream>

#include "engine/cuda/cudnn_graph.h"
#include "engine/cuda/runtime.h"
#include "engine/math_policy.h"

namespace noisymix::cuda {
namespace {

using cudnn::Descriptor;
using cudnn::Plan;
using cudnn::Refused;
using cudnn::TensorSpec;
using Pointers = std::vector<std::pair<std::int64_t, void*>>;

// Names of the tensors of a graph.
enum Id : std::int64_t { kX = 1, kWeight, kY, kBias, kResidual, kScale, kShift, kFirstVirtual };

/// Plans by what they compute; a null entry remembers that cuDNN refused.
class PlanCache {
 public:
  template <typename Build>
  const Plan* find(const std::string& key, Build&& build) {
    std::lock_guard lock(mutex_);
    auto found = plans_.find(key);
    if (found == plans_.end()) {
      std::unique_ptr<Plan> plan;
      try {
        plan = build();
      } catch (const Refused&) {
      }
      found = plans_.emplace(key, std::move(plan)).first;
    }
    return found->second.get();
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Plan>> plans_;
};

PlanCache& cache() {
  static auto* instance = new PlanCache();
  return *instance;
}

std::string key_of(const char* kind, const ConvShape& s, std::initializer_list<int> more) {
  std::ostringstream key;
  const MathPolicy& p = math_policy();
  key << kind << selected() << p.tf32 << p.deterministic << p.timed;
  for (const std::int64_t v : {s.n, s.h, s.w, s.c, s.o, s.kh, s.kw, s.stride_h, s.stride_w, s.padding_h,
                               s.padding_w, s.dilation_h, s.dilation_w, s.groups})
    key << ' ' << v;
  for (const int v : more) key << '/' << v;
  return key.str();
}

std::vector<std::int64_t> x_dims(const ConvShape& s) {
  return {s.n, s.c, s.h, s.w};
}
std::vector<std::int64_t> y_dims(const ConvShape& s) {
  return {s.n, s.o, s.ho, s.wo};
}
std::vector<std::int64_t> weight_dims(const ConvShape& s) {
  return {s.o, s.group_c(), s.kh, s.kw};
}

Descriptor convolution(const ConvShape& s) {
  Descriptor conv(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
  const std::vector<std::int64_t> padding{s.padding_h, s.padding_w};
  conv.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
  conv.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode);
  conv.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, std::int64_t{2});
  conv.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, std::vector<std::int64_t>{s.dilation_h, s.dilation_w});
  conv.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, std::vector<std::int64_t>{s.stride_h, s.stride_w});
  conv.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, padding);
  conv.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, padding);
  conv.finalize();
  return conv;
}

/// Which attributes name the parts of the three operations.
struct OperationNames {
  cudnnBackendDescriptorType_t type;
  cudnnBackendAttributeName_t x, weight, y, conv, alpha, beta;
};
constexpr OperationNames kForward{CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
                                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
                                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
                                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA};
constexpr OperationNames kInputGrad{CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
                                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
                                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
                                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
                                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA};
constexpr OperationNames kWeightGrad{CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
                                     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
                                     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
                                     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
                                     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
                                     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
                                     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA};

Descriptor conv_operation(const OperationNames& names, const Descriptor& conv, const Descriptor& x,
                          const Descriptor& weight, const Descriptor& y) {
  Descriptor operation(names.type);
  const float one = 1, zero = 0;
  operation.set(names.x, x);
  operation.set(names.weight, weight);
  operation.set(names.y, y);
  operation.set(names.conv, conv);
  operation.set(names.alpha, CUDNN_TYPE_FLOAT, 1, &one);
  operation.set(names.beta, CUDNN_TYPE_FLOAT, 1, &zero);
  operation.finalize();
  return operation;
}

/// The chain of pointwise operations behind a forward convolution.
class Epilogue {
 public:
  Epilogue(const ConvShape& s, const ConvEpilogue& e, cudnnDataType_t type) : dims_(y_dims(s)), type_(type) {
    const std::vector<std::int64_t> channel{1, s.o, 1, 1};
    if (e.bias.defined())
      add_step(CUDNN_POINTWISE_ADD, TensorSpec{kBias, channel, cudnn::data_type(e.bias.dtype())});
    if (e.residual.defined()) add_step(CUDNN_POINTWISE_ADD, TensorSpec{kResidual, dims_, type});
    if (e.scale.defined()) {
      add_step(CUDNN_POINTWISE_MUL, TensorSpec{kScale, channel, CUDNN_DATA_FLOAT});
      add_step(CUDNN_POINTWISE_ADD, TensorSpec{kShift, channel, CUDNN_DATA_FLOAT});
    }
    if (e.relu) add_step(CUDNN_POINTWISE_RELU_FWD, std::nullopt);
  }
  bool empty() const { return steps_.empty(); }

  /// Tensor number i of the chain: the convolution's result first, y last; those between exist in registers
  /// only.
  TensorSpec link(std::size_t i) const {
    if (i == steps_.size()) return {kY, dims_, type_};
    return {kFirstVirtual + static_cast<std::int64_t>(i), dims_, CUDNN_DATA_FLOAT, true};
  }

  void append_operations(std::vector<Descriptor>& operations) const {
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      Descriptor pointwise(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
      pointwise.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &steps_[i].mode);
      pointwise.set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT);
      pointwise.finalize();
      const Descriptor from = cudnn::make_tensor(link(i)), to = cudnn::make_tensor(link(i + 1));
      Descriptor operation(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
      operation.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, pointwise);
      operation.set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, from);
      std::optional<Descriptor> operand;
      if (steps_[i].operand) {
        operand = cudnn::make_tensor(*steps_[i].operand);
        operation.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, *operand);
      }
      operation.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, to);
      operation.finalize();
      operations.push_back(std::move(operation));
    }
  }

 private:
  struct Step {
    cudnnPointwiseMode_t mode;
    std::optional<TensorSpec> operand;
  };
  void add_step(cudnnPointwiseMode_t mode, std::optional<TensorSpec> operand) {
    steps_.push_back({mode, std::move(operand)});
  }
  std::vector<std::int64_t> dims_;
  cudnnDataType_t type_;
  std::vector<Step> steps_;
};

std::unique_ptr<Plan> compile(std::vector<Descriptor>& operations, Dtype maps, const Pointers& pointers) {
  std::vector<const Descriptor*> list;
  for (const Descriptor& operation : operations) list.push_back(&operation);
  return std::make_unique<Plan>(list, maps == Dtype::bf16 || math_policy().tf32, pointers);
}

std::unique_ptr<Plan> forward_plan(const ConvShape& s, Dtype dtype, const ConvEpilogue& e,
                                   const Pointers& pointers) {
  const cudnnDataType_t type = cudnn::data_type(dtype);
  const Epilogue epilogue(s, e, type);
  const Descriptor x = cudnn::make_tensor({kX, x_dims(s), type}),
                   w = cudnn::make_tensor({kWeight, weight_dims(s), type}),
                   y = cudnn::make_tensor(epilogue.link(0));
  const Descriptor conv = convolution(s);
  std::vector<Descriptor> operations;
  operations.push_back(conv_operation(kForward, conv, x, w, y));
  epilogue.append_operations(operations);
  return compile(operations, dtype, pointers);
}

std::unique_ptr<Plan> gradient_plan(const OperationNames& names, const ConvShape& s, Dtype dtype,
                                    Dtype weight, const Pointers& pointers) {
  const cudnnDataType_t type = cudnn::data_type(dtype);
  const Descriptor x = cudnn::make_tensor({kX, x_dims(s), type}),
                   w = cudnn::make_tensor({kWeight, weight_dims(s), cudnn::data_type(weight)}),
                   y = cudnn::make_tensor({kY, y_dims(s), type});
  const Descriptor conv = convolution(s);
  std::vector<Descriptor> operations;
  operations.push_back(conv_operation(names, conv, x, w, y));
  return compile(operations, dtype, pointers);
}

/// Whether cuDNN is there for this dtype and these addresses.
bool usable(Dtype dtype, std::initializer_list<const Tensor*> tensors) {
  if (dtype == Dtype::f64 || cudnn::api() == nullptr) return false;
  for (const Tensor* t : tensors)
    if (t->defined() && reinterpret_cast<std::uintptr_t>(t->raw()) % 16 != 0) return false;
  return true;
}

void add_pointer(Pointers& pointers, Id id, const Tensor& t) {
  if (t.defined()) pointers.emplace_back(id, t.raw());
}

}  // namespace

bool cudnn_forward(const ConvShape& s, const Tensor& x, const Tensor& weight, ConvEpilogue& epilogue,
                   Tensor& y) {
  if (!usable(x.dtype(), {&x, &weight, &y, &epilogue.bias, &epilogue.residual})) return false;
  const Tensor w = weight.detach().to(x.dtype());
  const int dtype = static_cast<int>(x.dtype());
  Pointers pointers{{kX, x.raw()}, {kWeight, w.raw()}, {kY, y.raw()}};
  Pointers fused_pointers = pointers;
  add_pointer(fused_pointers, kBias, epilogue.bias);
  add_pointer(fused_pointers, kResidual, epilogue.residual);
  add_pointer(fused_pointers, kScale, epilogue.scale);
  add_pointer(fused_pointers, kShift, epilogue.shift);
  const bool plain = fused_pointers.size() == pointers.size() && !epilogue.relu;
  try {
    if (!plain) {
      const Plan* fused = cache().find(
          key_of("fused", s,
                 {dtype, epilogue.bias.defined() ? 1 + static_cast<int>(epilogue.bias.dtype()) : 0,
                  epilogue.residual.defined(), epilogue.scale.defined(), epilogue.relu}),
          [&] { return forward_plan(s, x.dtype(), epilogue, fused_pointers); });
      if (fused != nullptr) {
        fused->run(fused_pointers);
        epilogue = {};
        return true;
      }
    }
    const Plan* plan =
        cache().find(key_of("forward", s, {dtype}), [&] { return forward_plan(s, x.dtype(), {}, pointers); });
    if (plan != nullptr) plan->run(pointers);
    return plan != nullptr;
  } catch (const Refused& refused) {
    fail<DeviceError>("[conv2d] cuDNN failed while computing: ", refused.what,
                      "; `noisymix doctor` shows its version");
  }
}

bool cudnn_input_grad(const ConvShape& s, const Tensor& dy, const Tensor& weight, Tensor& dx) {
  if (!usable(dy.dtype(), {&dy, &weight, &dx})) return false;
  const Tensor w = weight.detach().to(dy.dtype());
  const Pointers pointers{{kX, dx.raw()}, {kWeight, w.raw()}, {kY, dy.raw()}};
  const Plan* plan = cache().find(key_of("input", s, {static_cast<int>(dy.dtype())}), [&] {
    return gradient_plan(kInputGrad, s, dy.dtype(), dy.dtype(), pointers);
  });
  try {
    if (plan != nullptr) plan->run(pointers);
  } catch (const Refused& refused) {
    fail<DeviceError>("[conv2d] cuDNN failed at the input's gradient: ", refused.what);
  }
  return plan != nullptr;
}

bool cudnn_weight_grad(const ConvShape& s, const Tensor& x, const Tensor& dy, Tensor& dweight) {
  if (!usable(dy.dtype(), {&dy, &x, &dweight})) return false;
  const auto attempt = [&](Tensor& target) {
    const Pointers pointers{{kX, x.raw()}, {kWeight, target.raw()}, {kY, dy.raw()}};
    const std::string key =
        key_of("weight", s, {static_cast<int>(dy.dtype()), static_cast<int>(target.dtype())});
    const Plan* plan = cache().find(
        key, [&] { return gradient_plan(kWeightGrad, s, dy.dtype(), target.dtype(), pointers); });
    if (plan != nullptr) plan->run(pointers);
    return plan != nullptr;
  };
  try {
    if (attempt(dweight)) return true;
    if (dweight.dtype() == dy.dtype()) return false;
    Tensor rounded = Tensor::empty(dweight.shape(), dy.dtype(), dy.device());
    if (!attempt(rounded)) return false;
    dweight.copy_from(rounded.to(dweight.dtype()));
    return true;
  } catch (const Refused& refused) {
    fail<DeviceError>("[conv2d] cuDNN failed at the weight's gradient: ", refused.what);
  }
}

bool cudnn_compile_for(const std::string& device_properties) {
  if (cudnn::api() == nullptr) return false;
  try {
    cudnn::compile_for(device_properties);
    return true;
  } catch (const Refused&) {
    return false;
  }
}

ConvEngines cudnn_engines(const ConvShape& s, Dtype dtype, std::vector<std::string>* refusals) {
  if (cudnn::api() == nullptr) return {};
  const auto count = [&](const char* what, const auto& build) -> std::size_t {
    try {
      return build()->engines();
    } catch (const Refused& refused) {
      if (refusals != nullptr) refusals->push_back(std::string(what) + ": " + refused.what);
      return 0;
    }
  };
  ConvEngines result;
  result.forward = count("forward", [&] { return forward_plan(s, dtype, {}, {}); });
  const ConvEpilogue fused{.bias = Tensor::empty({s.o}),  // only that they are there and their dtypes matter
                           .residual = Tensor::empty({1}, dtype),
                           .scale = {},
                           .shift = {}};
  result.fused = count("fused", [&] { return forward_plan(s, dtype, fused, {}); });
  result.input_grad = count("input gradient", [&] { return gradient_plan(kInputGrad, s, dtype, dtype, {}); });
  result.weight_grad =
      count("weight gradient", [&] { return gradient_plan(kWeightGrad, s, dtype, dtype, {}); });
  result.weight_grad_f32 =
      count("weight gradient in f32", [&] { return gradient_plan(kWeightGrad, s, dtype, Dtype::f32, {}); });
  return result;
}

}  // namespace noisymix::cuda

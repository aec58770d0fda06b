#include "engine/cuda/cublaslt.h"

#include <cublasLt.h>

#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <type_traits>

#include "engine/cuda/library.h"
#include "engine/cuda/runtime.h"
#include "engine/math_policy.h"

namespace noisymix::cuda {
namespace {

constexpr std::size_t kWorkspace = std::size_t{32} << 20;

struct Api {
  Library library{{"libcublasLt.so.13", "libcublasLt.so.12"}};
  decltype(&cublasLtCreate) create = nullptr;
  decltype(&cublasLtMatmulDescCreate) desc_create = nullptr;
  decltype(&cublasLtMatmulDescDestroy) desc_destroy = nullptr;
  decltype(&cublasLtMatmulDescSetAttribute) desc_set = nullptr;
  decltype(&cublasLtMatrixLayoutCreate) layout_create = nullptr;
  decltype(&cublasLtMatrixLayoutDestroy) layout_destroy = nullptr;
  decltype(&cublasLtMatrixLayoutSetAttribute) layout_set = nullptr;
  decltype(&cublasLtMatmulPreferenceCreate) preference_create = nullptr;
  decltype(&cublasLtMatmulPreferenceDestroy) preference_destroy = nullptr;
  decltype(&cublasLtMatmulPreferenceSetAttribute) preference_set = nullptr;
  decltype(&cublasLtMatmulAlgoGetHeuristic) heuristic = nullptr;
  decltype(&cublasLtMatmul) matmul = nullptr;
  bool complete = false;

  Api() {
    const auto find = [&](const char* name, auto& function) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(library.symbol(name));
      return function != nullptr;
    };
    complete = find("cublasLtCreate", create) && find("cublasLtMatmulDescCreate", desc_create) &&
               find("cublasLtMatmulDescDestroy", desc_destroy) &&
               find("cublasLtMatmulDescSetAttribute", desc_set) &&
               find("cublasLtMatrixLayoutCreate", layout_create) &&
               find("cublasLtMatrixLayoutDestroy", layout_destroy) &&
               find("cublasLtMatrixLayoutSetAttribute", layout_set) &&
               find("cublasLtMatmulPreferenceCreate", preference_create) &&
               find("cublasLtMatmulPreferenceDestroy", preference_destroy) &&
               find("cublasLtMatmulPreferenceSetAttribute", preference_set) &&
               find("cublasLtMatmulAlgoGetHeuristic", heuristic) && find("cublasLtMatmul", matmul);
  }
};

const Api& api() {
  static const auto* instance = new Api();
  return *instance;
}

struct Refused {};

void check(cublasStatus_t status) {
  if (status != CUBLAS_STATUS_SUCCESS) throw Refused{};
}

cublasLtHandle_t handle() {
  static std::mutex mutex;
  static auto* handles = new std::map<int, cublasLtHandle_t>();
  std::lock_guard lock(mutex);
  auto found = handles->find(selected());
  if (found == handles->end()) {
    cublasLtHandle_t fresh = nullptr;
    check(api().create(&fresh));
    found = handles->emplace(selected(), fresh).first;
  }
  return found->second;
}

cudaDataType_t data_type(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
      return CUDA_R_32F;
    case Dtype::f64:
      return CUDA_R_64F;
    case Dtype::bf16:
      return CUDA_R_16BF;
    default:
      throw Refused{};
  }
}

/// A matrix as the library sees it: by columns, so a row-major [rows, cols] is its cols x rows.
class Layout {
 public:
  Layout(Dtype dtype, std::int64_t rows, std::int64_t cols, std::int32_t batch, std::int64_t stride) {
    check(api().layout_create(&raw_, data_type(dtype), static_cast<std::uint64_t>(cols),
                              static_cast<std::uint64_t>(rows), cols));
    if (batch == 1) return;
    check(api().layout_set(raw_, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &batch, sizeof batch));
    check(api().layout_set(raw_, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &stride, sizeof stride));
  }
  ~Layout() {
    if (raw_ != nullptr) api().layout_destroy(raw_);
  }
  Layout(const Layout&) = delete;
  Layout& operator=(const Layout&) = delete;
  cublasLtMatrixLayout_t raw() const { return raw_; }

 private:
  cublasLtMatrixLayout_t raw_ = nullptr;
};

class Operation {
 public:
  Operation(Dtype dtype, bool transpose_first, bool transpose_second, const Tensor& bias) {
    const bool f64 = dtype == Dtype::f64;
    const cublasComputeType_t compute = f64 ? CUBLAS_COMPUTE_64F
                                        : dtype == Dtype::f32 && math_policy().tf32
                                            ? CUBLAS_COMPUTE_32F_FAST_TF32
                                            : CUBLAS_COMPUTE_32F;
    check(api().desc_create(&raw_, compute, f64 ? CUDA_R_64F : CUDA_R_32F));
    const cublasOperation_t first = transpose_first ? CUBLAS_OP_T : CUBLAS_OP_N,
                            second = transpose_second ? CUBLAS_OP_T : CUBLAS_OP_N;
    check(api().desc_set(raw_, CUBLASLT_MATMUL_DESC_TRANSA, &first, sizeof first));
    check(api().desc_set(raw_, CUBLASLT_MATMUL_DESC_TRANSB, &second, sizeof second));
    if (!bias.defined()) return;
    const cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_BIAS;
    const void* address = bias.raw();
    const cudaDataType_t type = data_type(bias.dtype());
    check(api().desc_set(raw_, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof epilogue));
    check(api().desc_set(raw_, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &address, sizeof address));
    check(api().desc_set(raw_, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, &type, sizeof type));
  }
  ~Operation() {
    if (raw_ != nullptr) api().desc_destroy(raw_);
  }
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  cublasLtMatmulDesc_t raw() const { return raw_; }

 private:
  cublasLtMatmulDesc_t raw_ = nullptr;
};

/// The library's first choice for a product, asked for once per kind of product.
cublasLtMatmulAlgo_t algorithm(const std::string& key, const Operation& operation, const Layout& first,
                               const Layout& second, const Layout& result) {
  static std::mutex mutex;
  static auto* chosen = new std::map<std::string, cublasLtMatmulHeuristicResult_t>();
  std::lock_guard lock(mutex);
  auto found = chosen->find(key);
  if (found == chosen->end()) {
    cublasLtMatmulPreference_t preference = nullptr;
    check(api().preference_create(&preference));
    const std::size_t workspace = kWorkspace;
    api().preference_set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace, sizeof workspace);
    cublasLtMatmulHeuristicResult_t best{};
    int count = 0;
    const cublasStatus_t status = api().heuristic(handle(), operation.raw(), first.raw(), second.raw(),
                                                  result.raw(), result.raw(), preference, 1, &best, &count);
    api().preference_destroy(preference);
    if (status != CUBLAS_STATUS_SUCCESS || count == 0) best.state = CUBLAS_STATUS_NOT_SUPPORTED;
    found = chosen->emplace(key, best).first;
  }
  check(found->second.state);
  return found->second.algo;
}

/// Elements from one matrix of the batch to the next, 0 when there is one; throws when they are not evenly
/// spaced.
std::int64_t stride_of(const std::vector<std::int64_t>& offsets) {
  const std::int64_t stride = offsets.size() > 1 ? offsets[1] - offsets[0] : 0;
  for (std::size_t i = 0; i < offsets.size(); ++i)
    if (offsets[i] != static_cast<std::int64_t>(i) * stride) throw Refused{};
  return stride;
}

void multiply(const Tensor& a, const Tensor& b, const Tensor& bias, const Product& p, Tensor& c) {
  const auto batch = static_cast<std::int32_t>(p.a_offsets.size());
  const Dtype type = a.dtype();
  // Row-major c = a b is column-major c' = b' a'.
  const Layout first(type, p.transpose_b ? p.n : p.k, p.transpose_b ? p.k : p.n, batch,
                     stride_of(p.b_offsets));
  const Layout second(type, p.transpose_a ? p.k : p.m, p.transpose_a ? p.m : p.k, batch,
                      stride_of(p.a_offsets));
  const Layout result(c.dtype(), p.m, p.n, batch, p.m * p.n);
  const Operation operation(type, p.transpose_b, p.transpose_a, bias);
  std::ostringstream key;
  key << selected() << ' ' << p.m << ' ' << p.n << ' ' << p.k << ' ' << p.transpose_a << p.transpose_b << ' '
      << batch << ' ' << name_of(type) << name_of(c.dtype()) << (bias.defined() ? name_of(bias.dtype()) : "")
      << math_policy().tf32;
  const cublasLtMatmulAlgo_t algo = algorithm(key.str(), operation, first, second, result);
  const Tensor workspace = Tensor::empty({static_cast<std::int64_t>(kWorkspace)}, Dtype::u8, c.device());
  const float one = 1, zero = 0;
  const double one_f64 = 1, zero_f64 = 0;
  const void* alpha = type == Dtype::f64 ? static_cast<const void*>(&one_f64) : &one;
  const void* beta = type == Dtype::f64 ? static_cast<const void*>(&zero_f64) : &zero;
  check(api().matmul(handle(), operation.raw(), alpha, b.raw(), first.raw(), a.raw(), second.raw(), beta,
                     c.raw(), result.raw(), c.raw(), result.raw(), &algo, workspace.raw(), kWorkspace,
                     stream()));
}

}  // namespace

bool cublaslt_matmul(const Tensor& a, const Tensor& b, const Tensor& bias, const Product& p, Tensor& c) {
  if (!api().complete || p.k == 0) return false;
  for (const Tensor* t : {&a, &b, static_cast<const Tensor*>(&c)})
    if (reinterpret_cast<std::uintptr_t>(t->raw()) % 16 != 0) return false;
  if (bias.defined() && bias.dtype() != c.dtype())
    return false;  // mixed precision: rounded once, by our own kernel
  try {
    multiply(a, b.dtype() == a.dtype() ? b : b.detach().to(a.dtype()), bias, p, c);
    return true;
  } catch (const Refused&) {
    return false;
  }
}

}  // namespace noisymix::cuda

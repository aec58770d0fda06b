#include "engine/cuda/cudnn_graph.h"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>

#include "engine/cuda/library.h"
#include "engine/cuda/runtime.h"
#include "engine/math_policy.h"
#include "engine/tensor.h"

namespace noisymix::cuda::cudnn {
namespace {

constexpr std::size_t kMostCandidates = 8;                      // that are compiled and timed
constexpr std::int64_t kMostWorkspace = std::int64_t{1} << 30;  // bytes; engines that want more are left out

/// Opened on first use and kept. cuDNN opens some of the toolkit's libraries itself, by name only; those that
/// lie in a Python environment must be there already.
struct Loaded {
  Library cublas_lt{{"libcublasLt.so.13", "libcublasLt.so.12"}};
  Library cublas{{"libcublas.so.13", "libcublas.so.12"}};
  Library nvrtc{{"libnvrtc.so.13", "libnvrtc.so.12"}};
  Library cudnn{{"libcudnn.so.9"}};
  Api api{};
  bool complete = false;

  Loaded() {
    const auto find = [&](const char* name, auto& function) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(cudnn.symbol(name));
      return function != nullptr;
    };
    complete = find("cudnnGetVersion", api.get_version) && find("cudnnGetErrorString", api.error_string) &&
               find("cudnnCreate", api.create) && find("cudnnSetStream", api.set_stream) &&
               find("cudnnBackendCreateDescriptor", api.create_descriptor) &&
               find("cudnnBackendDestroyDescriptor", api.destroy_descriptor) &&
               find("cudnnBackendSetAttribute", api.set_attribute) &&
               find("cudnnBackendGetAttribute", api.get_attribute) &&
               find("cudnnBackendFinalize", api.finalize) && find("cudnnBackendExecute", api.execute);
  }
};

const Loaded& loaded() {
  static const auto* instance = new Loaded();
  return *instance;
}

void check(cudnnStatus_t status, const char* what) {
  if (status != CUDNN_STATUS_SUCCESS) throw Refused{std::string(what) + ": " + api()->error_string(status)};
}

/// Properties of a GPU that is not there, to compile for; empty for the selected one.
std::unique_ptr<Descriptor>& absent_device() {
  static auto* instance = new std::unique_ptr<Descriptor>();
  return *instance;
}

bool has_note(const Descriptor& config, std::initializer_list<cudnnBackendNumericalNote_t> unwanted) {
  Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  cudnnBackendDescriptor_t raw = engine.raw();
  std::int64_t count = 0;
  if (absent_device()) engine.set(CUDNN_ATTR_ENGINE_DEVICEPROP, *absent_device());
  check(api()->get_attribute(config.raw(), CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                             &count, &raw),
        "engine of a configuration");
  std::array<cudnnBackendNumericalNote_t, CUDNN_NUMERICAL_NOTE_TYPE_COUNT> notes{};
  check(api()->get_attribute(engine.raw(), CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                             CUDNN_NUMERICAL_NOTE_TYPE_COUNT, &count, notes.data()),
        "notes of an engine");
  for (std::int64_t i = 0; i < count; ++i)
    for (const auto note : unwanted)
      if (notes[static_cast<std::size_t>(i)] == note) return true;
  return false;
}

}  // namespace

const Api* api(std::string* reason) {
  const Loaded& l = loaded();
  if (l.complete) return &l.api;
  if (reason != nullptr) *reason = l.cudnn.found() ? l.cudnn.file() + " lacks functions" : l.cudnn.reason();
  return nullptr;
}

cudnnHandle_t handle() {
  static std::mutex mutex;
  static auto* handles = new std::map<int, cudnnHandle_t>();
  std::lock_guard lock(mutex);
  auto found = handles->find(selected());
  if (found == handles->end()) {
    cudnnHandle_t fresh = nullptr;
    check(api()->create(&fresh), "cudnnCreate");
    check(api()->set_stream(fresh, stream()), "cudnnSetStream");
    found = handles->emplace(selected(), fresh).first;
  }
  return found->second;
}

void compile_for(const std::string& device_properties) {
  absent_device().reset();
  if (device_properties.empty()) return;
  auto properties = std::make_unique<Descriptor>(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
  properties->set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
                  static_cast<std::int64_t>(device_properties.size()), device_properties.data());
  properties->finalize();
  absent_device() = std::move(properties);
}

Descriptor::Descriptor(cudnnBackendDescriptorType_t type) {
  check(api()->create_descriptor(type, &raw_), "new descriptor");
}
Descriptor::~Descriptor() {
  if (raw_ != nullptr) api()->destroy_descriptor(raw_);
}
void Descriptor::set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t count,
                     const void* values) {
  check(api()->set_attribute(raw_, name, type, count, values), "attribute");
}
void Descriptor::set(cudnnBackendAttributeName_t name, const Descriptor& value) {
  const cudnnBackendDescriptor_t raw = value.raw();
  set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &raw);
}
void Descriptor::finalize() {
  check(api()->finalize(raw_), "finalize");
}

cudnnDataType_t data_type(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
      return CUDNN_DATA_FLOAT;
    case Dtype::bf16:
      return CUDNN_DATA_BFLOAT16;
    case Dtype::f64:
      return CUDNN_DATA_DOUBLE;
    default:
      throw Refused{"dtype"};
  }
}

Descriptor make_tensor(const TensorSpec& spec) {
  const auto& d = spec.dims;
  const std::vector<std::int64_t> strides{d[1] * d[2] * d[3], 1, d[1] * d[3], d[1]};
  Descriptor tensor(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  tensor.set(CUDNN_ATTR_TENSOR_DATA_TYPE, spec.type);
  tensor.set(CUDNN_ATTR_TENSOR_DIMENSIONS, d);
  tensor.set(CUDNN_ATTR_TENSOR_STRIDES, strides);
  tensor.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, spec.id);
  tensor.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, std::int64_t{16});
  if (spec.is_virtual) tensor.set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, true);
  tensor.finalize();
  return tensor;
}

Plan::Plan(const std::vector<const Descriptor*>& operations, bool allow_tensor_cores,
           const std::vector<std::pair<std::int64_t, void*>>& pointers) {
  std::vector<cudnnBackendDescriptor_t> raw;
  for (const Descriptor* operation : operations) raw.push_back(operation->raw());
  Descriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
            static_cast<std::int64_t>(raw.size()), raw.data());
  if (!absent_device()) {
    const cudnnHandle_t own = handle();
    graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &own);
  }
  graph.finalize();
  for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK})
    if (candidates_.empty()) collect(graph, mode, allow_tensor_cores);
  if (candidates_.empty()) throw Refused{"no engine"};
  engines_ = candidates_.size();
  if (math_policy().timed && engines_ > 1 && !absent_device()) choose(pointers);
  candidates_.erase(candidates_.begin() + 1, candidates_.end());
}

/// Compiles what the heuristic proposes; what does not compile or breaks the policy is left out.
void Plan::collect(const Descriptor& graph, cudnnBackendHeurMode_t mode, bool allow_tensor_cores) {
  Descriptor heuristic(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristic.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
  heuristic.set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
  if (absent_device()) heuristic.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, *absent_device());
  heuristic.finalize();
  std::vector<Descriptor> configs;
  std::vector<cudnnBackendDescriptor_t> raw;
  for (std::size_t i = 0; i < 2 * kMostCandidates; ++i) {
    configs.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    raw.push_back(configs.back().raw());
  }
  std::int64_t count = 0;
  check(api()->get_attribute(heuristic.raw(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                             static_cast<std::int64_t>(raw.size()), &count, raw.data()),
        "heuristic");
  for (std::size_t i = 0;
       i < raw.size() && static_cast<std::int64_t>(i) < count && candidates_.size() < kMostCandidates; ++i) {
    try {
      if (math_policy().deterministic && has_note(configs[i], {CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC}))
        continue;
      if (!allow_tensor_cores &&
          has_note(configs[i], {CUDNN_NUMERICAL_NOTE_TENSOR_CORE, CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS}))
        continue;
      Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
      if (absent_device()) {
        plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, *absent_device());
      } else {
        const cudnnHandle_t own = handle();
        plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &own);
      }
      plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configs[i]);
      plan.finalize();
      std::int64_t workspace = 0, found = 0;
      check(api()->get_attribute(plan.raw(), CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1,
                                 &found, &workspace),
            "workspace");
      if (workspace <= kMostWorkspace) candidates_.push_back({std::move(plan), workspace});
    } catch (const Refused&) {  // the next candidate may do
    }
  }
}

/// Puts the fastest candidate first: the best of three runs of each, after one to warm up. The same choice on
/// the same machine is not certain, but every candidate is deterministic if the policy asks for that.
void Plan::choose(const std::vector<std::pair<std::int64_t, void*>>& pointers) {
  cudaEvent_t start = nullptr, end = nullptr;
  NM_CUDA_CHECK(cudaEventCreateWithFlags(&start, 0));
  NM_CUDA_CHECK(cudaEventCreateWithFlags(&end, 0));
  float best = 1e30f;
  std::size_t chosen = 0;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    try {
      run(candidates_[i], pointers);
      for (int repeat = 0; repeat < 3; ++repeat) {
        NM_CUDA_CHECK(cudaEventRecord(start, stream()));
        run(candidates_[i], pointers);
        NM_CUDA_CHECK(cudaEventRecord(end, stream()));
        NM_CUDA_CHECK(cudaEventSynchronize(end));
        float milliseconds = 0;
        NM_CUDA_CHECK(cudaEventElapsedTime(&milliseconds, start, end));
        if (milliseconds < best) {
          best = milliseconds;
          chosen = i;
        }
      }
    } catch (const Refused&) {  // compiled but does not run
    }
  }
  cudaEventDestroy(start);
  cudaEventDestroy(end);
  std::swap(candidates_[0], candidates_[chosen]);
}

void Plan::run(const std::vector<std::pair<std::int64_t, void*>>& pointers) const {
  run(candidates_[0], pointers);
}

void Plan::run(const Candidate& candidate, const std::vector<std::pair<std::int64_t, void*>>& pointers) {
  const Tensor workspace = Tensor::empty({std::max<std::int64_t>(candidate.workspace, 1)}, Dtype::u8,
                                         {DeviceKind::cuda, selected()});
  std::vector<std::int64_t> ids;
  std::vector<void*> addresses;
  for (const auto& [id, address] : pointers) {
    ids.push_back(id);
    addresses.push_back(address);
  }
  void* scratch = workspace.raw();
  Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, ids);
  pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR,
           static_cast<std::int64_t>(addresses.size()), addresses.data());
  pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &scratch);
  pack.finalize();
  check(api()->execute(handle(), candidate.plan.raw(), pack.raw()), "execute");
}

}  // namespace noisymix::cuda::cudnn

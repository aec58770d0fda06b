// A thin wrapper of cuDNN's graph interface: descriptors that free themselves, and plans that are built once
// and run often.
#pragma once

#include <cudnn_backend.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/dtype.h"

namespace noisymix::cuda::cudnn {

/// The library's functions, and a handle for the selected device; null when cuDNN is not there. `reason` says
/// why.
struct Api {
  decltype(&cudnnGetVersion) get_version;
  decltype(&cudnnGetErrorString) error_string;
  decltype(&cudnnCreate) create;
  decltype(&cudnnSetStream) set_stream;
  decltype(&cudnnBackendCreateDescriptor) create_descriptor;
  decltype(&cudnnBackendDestroyDescriptor) destroy_descriptor;
  decltype(&cudnnBackendSetAttribute) set_attribute;
  decltype(&cudnnBackendGetAttribute) get_attribute;
  decltype(&cudnnBackendFinalize) finalize;
  decltype(&cudnnBackendExecute) execute;
};
const Api* api(std::string* reason = nullptr);
cudnnHandle_t handle();

/// Compiles for a GPU that is not there, described by cuDNN's own text (JSON), from now on; "" ends that.
/// Nothing runs then. Needs cuDNN 9.8.
void compile_for(const std::string& device_properties);

/// Thrown inside the wrapper when cuDNN refuses something; callers fall back to other ways.
struct Refused {
  std::string what;
};

/// Owns a backend descriptor.
class Descriptor {
 public:
  explicit Descriptor(cudnnBackendDescriptorType_t type);
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : raw_(std::exchange(other.raw_, nullptr)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(raw_, other.raw_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  void set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t count,
           const void* values);
  void set(cudnnBackendAttributeName_t name, const Descriptor& value);
  void set(cudnnBackendAttributeName_t name, cudnnDataType_t value) {
    set(name, CUDNN_TYPE_DATA_TYPE, 1, &value);
  }
  void set(cudnnBackendAttributeName_t name, std::int64_t value) { set(name, CUDNN_TYPE_INT64, 1, &value); }
  void set(cudnnBackendAttributeName_t name, bool value) { set(name, CUDNN_TYPE_BOOLEAN, 1, &value); }
  void set(cudnnBackendAttributeName_t name, const std::vector<std::int64_t>& values) {
    set(name, CUDNN_TYPE_INT64, static_cast<std::int64_t>(values.size()), values.data());
  }
  void finalize();
  cudnnBackendDescriptor_t raw() const { return raw_; }

 private:
  cudnnBackendDescriptor_t raw_ = nullptr;
};

/// A tensor of a graph: [n, c, h, w] with the strides of NHWC memory.
struct TensorSpec {
  std::int64_t id;
  std::vector<std::int64_t> dims;  // n, c, h, w
  cudnnDataType_t type;
  bool is_virtual = false;
};
Descriptor make_tensor(const TensorSpec& spec);
cudnnDataType_t data_type(Dtype dtype);

/// An operation graph compiled for the device.
class Plan {
 public:
  /// Compiles a graph with the engines that the policy allows, best first; throws Refused when none takes it.
  /// With `pointers` the candidates are timed on them.
  Plan(const std::vector<const Descriptor*>& operations, bool allow_tensor_cores,
       const std::vector<std::pair<std::int64_t, void*>>& pointers);
  void run(const std::vector<std::pair<std::int64_t, void*>>& pointers) const;
  std::int64_t workspace() const { return candidates_[0].workspace; }
  /// How many engines took the graph under the policy.
  std::size_t engines() const { return engines_; }

 private:
  struct Candidate {
    Descriptor plan;
    std::int64_t workspace;
  };
  void collect(const Descriptor& graph, cudnnBackendHeurMode_t mode, bool allow_tensor_cores);
  void choose(const std::vector<std::pair<std::int64_t, void*>>& pointers);
  static void run(const Candidate& candidate, const std::vector<std::pair<std::int64_t, void*>>& pointers);
  std::vector<Candidate> candidates_;  // the chosen one first
  std::size_t engines_ = 0;
};

}  // namespace noisymix::cuda::cudnn

#include "engine/cuda/backend.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <sstream>
#include <utility>

#include "engine/cuda/runtime.h"

namespace noisymix::cuda {
namespace {

thread_local int selected_device = 0;
thread_local int runtime_device = -1;  // what the runtime was told last on this thread

std::string readable(std::size_t bytes) {
  char text[32];
  const double gib = static_cast<double>(bytes) / (1 << 30);
  if (gib >= 1)
    std::snprintf(text, sizeof text, "%.2f GiB", gib);
  else
    std::snprintf(text, sizeof text, "%.1f MiB", gib * 1024);
  return text;
}

std::string advice(cudaError_t status) {
  switch (static_cast<int>(status)) {
    case 2:
      return "use a smaller batch, or --set train.precision=bf16";
    case 35:
      return "the driver is older than this build needs; update it, or use --device cpu";
    case 100:
      return "use --device cpu, or check `nvidia-smi`";
    case 101:
      return "`noisymix doctor` lists the devices there are";
    case 900:
      return "this call cannot be part of a captured step; set train.cuda_graph = false";
    case 209:
      return "this build has no code for this GPU; configure with its CMAKE_CUDA_ARCHITECTURES";
    case 700:
    case 716:
    case 717:
    case 719:
      return "a kernel touched memory that is not its own; run with CUDA_LAUNCH_BLOCKING=1 to see which, and "
             "report it";
    default:
      return "`noisymix doctor` shows driver and devices";
  }
}

}  // namespace

void check(cudaError_t status, const char* call, const char* file, int line) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // so that later checks do not find this one
  const std::string name(call);
  fail<DeviceError>("[cuda] ", name.substr(0, name.find('(')), " failed: ", cudaGetErrorString(status), " (",
                    cudaGetErrorName(status), ") at ", file, ":", line, "; ", advice(status));
}

int device_count(std::string* reason) {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaSuccess && count > 0) return count;
  cudaGetLastError();
  if (reason != nullptr) {
    if (status == cudaErrorInsufficientDriver)
      *reason = "the NVIDIA driver is missing or older than this build's CUDA " +
                std::to_string(runtime_version() / 1000) + "." +
                std::to_string(runtime_version() % 1000 / 10);
    else if (status == cudaSuccess || status == cudaErrorNoDevice)
      *reason = "there is no NVIDIA GPU, or CUDA_VISIBLE_DEVICES hides it";
    else
      *reason = cudaGetErrorString(status);
  }
  return 0;
}

int driver_version() {
  int version = 0;
  if (cudaDriverGetVersion(&version) != cudaSuccess) cudaGetLastError();
  return version;
}

int runtime_version() {
  int version = 0;
  if (cudaRuntimeGetVersion(&version) != cudaSuccess) cudaGetLastError();
  return version;
}

DeviceFacts facts(int device) {
  cudaDeviceProp properties{};
  NM_CUDA_CHECK(cudaGetDeviceProperties(&properties, device));
  DeviceFacts result{properties.name,
                     properties.major,
                     properties.minor,
                     properties.multiProcessorCount,
                     properties.totalGlobalMem,
                     0,
                     static_cast<std::size_t>(properties.l2CacheSize)};
  const int before = selected();
  select(device);
  std::size_t total = 0;
  NM_CUDA_CHECK(cudaMemGetInfo(&result.free_memory, &total));
  select(before);
  return result;
}

int selected() {
  return selected_device;
}

void select(int device) {
  selected_device = device;
  if (runtime_device == device) return;
  NM_CUDA_CHECK(cudaSetDevice(device));
  runtime_device = device;
}

namespace {

/// Takes memory of one device from the runtime.
class DeviceMemory final : public MemorySource {
 public:
  explicit DeviceMemory(int device) : device_(device) {}
  void* take(std::size_t bytes) noexcept override {
    void* memory = nullptr;
    if (cudaSetDevice(device_) != cudaSuccess || cudaMalloc(&memory, bytes) != cudaSuccess) {
      cudaGetLastError();
      return nullptr;
    }
    return memory;
  }
  void give_back(void* memory, std::size_t) noexcept override {
    cudaFree(memory);  // waits for work that may still use it
    cudaGetLastError();
  }

 private:
  int device_;
};

constexpr BlockCacheOptions kCacheOptions{
    .alignment = 512, .small = 0, .smallest_piece = 512, .region = std::size_t{32} << 20};

}  // namespace

struct MemoryPool::Impl {
  int device;
  DeviceMemory source;
  BlockCache cache;
  explicit Impl(int index) : device(index), source(index), cache(source, kCacheOptions) {}
  ~Impl();
};

/// One GPU. Blocks remember the pool they came from, so that they find back to it.
class CudaBackend final : public Backend {
 public:
  explicit CudaBackend(int index) : index_(index), source_(index), cache_(source_, kCacheOptions) {
    const int before = selected_device;
    cuda::select(index);
    NM_CUDA_CHECK(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
    multiprocessors_ = facts(index).multiprocessors;
    cuda::select(before);
  }

  void* allocate(std::size_t bytes) override {
    const std::shared_ptr<MemoryPool::Impl> pool = active_;
    void* memory = (pool != nullptr ? pool->cache : cache_).allocate(bytes);
    if (memory == nullptr && pool == nullptr) out_of_memory(bytes);
    if (memory == nullptr) {  // the ordinary cache may hold what the pool lacks
      cache_.trim();
      memory = pool->cache.allocate(bytes);
      if (memory == nullptr) out_of_memory(bytes);
    }
    if (pool != nullptr) {
      std::lock_guard lock(mutex_);
      owners_[memory] = pool;
    }
    return memory;
  }

  void release(void* memory, std::size_t bytes) noexcept override {
    std::shared_ptr<MemoryPool::Impl> pool;
    {
      std::lock_guard lock(mutex_);
      if (const auto found = owners_.find(memory); found != owners_.end()) {
        pool = std::move(found->second);
        owners_.erase(found);
      }
    }
    (pool != nullptr ? pool->cache : cache_).release(memory, bytes);
  }

  void copy(void* to, const void* from, std::size_t bytes, Copy direction) override {
    if (bytes == 0) return;
    cuda::select(index_);
    const cudaMemcpyKind kind = direction == Copy::to_device ? cudaMemcpyHostToDevice
                                : direction == Copy::to_host ? cudaMemcpyDeviceToHost
                                                             : cudaMemcpyDeviceToDevice;
    // From pageable host memory the call returns when the bytes are read.
    NM_CUDA_CHECK(cudaMemcpyAsync(to, from, bytes, kind, stream_));
    if (direction == Copy::to_host) NM_CUDA_CHECK(cudaStreamSynchronize(stream_));
  }

  void synchronize() override {
    cuda::select(index_);
    NM_CUDA_CHECK(cudaStreamSynchronize(stream_));
  }
  MemoryStats memory() const override {
    MemoryStats stats = cache_.stats();
    std::lock_guard lock(mutex_);
    for (const MemoryPool::Impl* pool : pools_) {
      const MemoryStats own = pool->cache.stats();
      stats.in_use += own.in_use;
      stats.peak_in_use += own.peak_in_use;
      stats.reserved += own.reserved;
      stats.system_calls += own.system_calls;
    }
    return stats;
  }
  void reset_peak() override { cache_.reset_peak(); }
  void trim() override { cache_.trim(); }
  std::string describe() const override {
    const DeviceFacts f = facts(index_);
    return f.name + ", sm_" + std::to_string(f.major) + std::to_string(f.minor) + ", " + readable(f.memory);
  }

  cudaStream_t stream() const { return stream_; }
  int multiprocessors() const { return multiprocessors_; }
  std::shared_ptr<MemoryPool::Impl> set_active(std::shared_ptr<MemoryPool::Impl> pool) {
    return std::exchange(active_, std::move(pool));
  }
  void add_pool(MemoryPool::Impl* pool) {
    std::lock_guard lock(mutex_);
    pools_.insert(pool);
  }
  void remove_pool(MemoryPool::Impl* pool) {
    std::lock_guard lock(mutex_);
    pools_.erase(pool);
  }

 private:
  [[noreturn]] void out_of_memory(std::size_t bytes) {
    const MemoryStats stats = memory();
    const DeviceFacts f = facts(index_);
    std::ostringstream list;
    const auto largest = (active_ != nullptr ? active_->cache : cache_).largest(3);
    for (std::size_t i = 0; i < largest.size(); ++i)
      list << (i > 0 ? ", " : "; the largest tensors hold ") << readable(largest[i]);
    fail<OutOfMemoryError>("[cuda:", index_, "] out of memory: need ", readable(bytes), " more, have ",
                           readable(f.free_memory), " of ", readable(f.memory), " (in use here ",
                           readable(static_cast<std::size_t>(stats.in_use)), list.str(),
                           "); use a smaller batch, or --set train.precision=bf16");
  }

  int index_;
  DeviceMemory source_;
  BlockCache cache_;
  cudaStream_t stream_ = nullptr;
  int multiprocessors_ = 1;
  std::shared_ptr<MemoryPool::Impl> active_;
  mutable std::mutex mutex_;
  std::set<MemoryPool::Impl*> pools_;
  std::map<void*, std::shared_ptr<MemoryPool::Impl>> owners_;  // of blocks that came from pools
};

namespace {

CudaBackend& device(int index) {
  static std::mutex mutex;
  // Never destroyed: tensors in static storage may outlive every other static object.
  static auto* backends = new std::map<int, std::unique_ptr<CudaBackend>>();
  std::lock_guard lock(mutex);
  auto found = backends->find(index);
  if (found == backends->end()) {
    std::string reason;
    const int count = device_count(&reason);
    NM_CHECK_AS(DeviceError, count > 0, "[device] cuda:", index, " is not available: ", reason,
                "; use --device cpu");
    NM_CHECK_AS(DeviceError, index >= 0 && index < count, "[device] cuda:", index, " does not exist: there ",
                count == 1
                    ? "is 1 GPU, cuda:0"
                    : "are " + std::to_string(count) + " GPUs, cuda:0 to cuda:" + std::to_string(count - 1));
    found = backends->emplace(index, std::make_unique<CudaBackend>(index)).first;
  }
  return *found->second;
}

}  // namespace

Backend& backend(int index) {
  return device(index);
}

cudaStream_t stream() {
  return device(selected()).stream();
}

int multiprocessors() {
  return device(selected()).multiprocessors();
}

MemoryPool::Impl::~Impl() {
  cuda::device(device).remove_pool(this);
}

MemoryPool::MemoryPool(int index) : impl_(std::make_shared<Impl>(index)) {
  device(index).add_pool(impl_.get());
}
MemoryPool::~MemoryPool() = default;

MemoryPool::Scope::Scope(MemoryPool& pool) : device_(pool.impl_->device) {
  NM_ASSERT(device(device_).set_active(pool.impl_) == nullptr);
}
MemoryPool::Scope::~Scope() {
  device(device_).set_active(nullptr);
}

}  // namespace noisymix::cuda

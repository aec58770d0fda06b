// The emulated runtime: one device whose memory is the host's, streams that work at once, graphs that are
// lists of work.
#include <cuda_runtime.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "engine/cuda/emulated/block.h"

struct GraphState {
  std::vector<std::function<void()>> work;
};

struct EventState {
  std::chrono::steady_clock::time_point at;
};

namespace noisymix::emulated {

struct StreamState {
  GraphState* capture = nullptr;
};

}  // namespace noisymix::emulated

namespace {

using noisymix::emulated::StreamState;

/// Sizes of the device's blocks, and how much there is: 1 GiB, or NOISYMIX_EMULATED_MEMORY bytes.
struct Memory {
  std::mutex mutex;
  std::map<void*, std::size_t> blocks;
  std::size_t used = 0;
};
Memory& memory() {
  static auto* instance = new Memory();
  return *instance;
}
std::size_t capacity() {
  const char* text = std::getenv("NOISYMIX_EMULATED_MEMORY");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : std::size_t{1} << 30;
}

thread_local int captures = 0;  // how many streams of this thread capture
thread_local cudaError_t last_error = cudaSuccess;

cudaError_t result(cudaError_t status) {
  if (status != cudaSuccess) last_error = status;
  return status;
}

/// Work on a stream: now, or whenever the graph is launched.
void enqueue(StreamState* stream, std::function<void()> work) {
  if (stream != nullptr && stream->capture != nullptr)
    stream->capture->work.push_back(std::move(work));
  else
    work();
}

/// What waits for the device cannot be part of a graph.
cudaError_t refuse_in_capture() {
  return result(captures > 0 ? cudaErrorStreamCaptureUnsupported : cudaSuccess);
}

}  // namespace

namespace noisymix::emulated {

void launch(StreamState* stream, dim3 grid, dim3 block, std::size_t shared_bytes,
            std::function<void()> thread) {
  const std::size_t threads = std::size_t{block.x} * block.y * block.z;
  if (threads == 0 || threads > 1024 || grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.y > 65535 ||
      grid.z > 65535 || shared_bytes > 227 * 1024) {
    result(cudaErrorInvalidValue);
    return;
  }
  enqueue(stream, [=, thread = std::move(thread)] { run_grid(grid, block, shared_bytes, thread); });
}

}  // namespace noisymix::emulated

cudaError_t cudaGetDeviceCount(int* count) {
  const char* none = std::getenv("NOISYMIX_EMULATED_DEVICES");
  *count = none != nullptr ? std::atoi(none) : 1;
  return result(*count > 0 ? cudaSuccess : cudaErrorNoDevice);
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (device != 0) return result(cudaErrorInvalidDevice);
  *properties = {};
  std::snprintf(properties->name, sizeof properties->name, "emulated on the CPU");
  properties->totalGlobalMem = capacity();
  properties->sharedMemPerBlockOptin = 227 * 1024;
  properties->major = 9;
  properties->multiProcessorCount = 4;
  properties->l2CacheSize = 1 << 20;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  return result(device == 0 ? cudaSuccess : cudaErrorInvalidDevice);
}
cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() {
  return refuse_in_capture();
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = 0;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = 0;
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(std::size_t* free_bytes, std::size_t* total) {
  std::lock_guard lock(memory().mutex);
  *total = capacity();
  *free_bytes = *total - std::min(*total, memory().used);
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** address, std::size_t bytes) {
  std::lock_guard lock(memory().mutex);
  if (bytes > capacity() || memory().used > capacity() - bytes) return result(cudaErrorMemoryAllocation);
  *address = std::aligned_alloc(512, (bytes + 511) / 512 * 512);
  if (*address == nullptr) return result(cudaErrorMemoryAllocation);
  std::memset(*address, 0xA5, bytes);  // so that nobody relies on zeros
  memory().blocks[*address] = bytes;
  memory().used += bytes;
  return cudaSuccess;
}

cudaError_t cudaFree(void* address) {
  if (address == nullptr) return cudaSuccess;
  std::lock_guard lock(memory().mutex);
  const auto found = memory().blocks.find(address);
  if (found == memory().blocks.end()) return result(cudaErrorInvalidValue);
  memory().used -= found->second;
  memory().blocks.erase(found);
  std::free(address);
  return cudaSuccess;
}

cudaError_t cudaHostAlloc(void** address, std::size_t bytes, unsigned) {
  *address = std::aligned_alloc(512, (bytes + 511) / 512 * 512);
  return result(*address != nullptr ? cudaSuccess : cudaErrorMemoryAllocation);
}
cudaError_t cudaFreeHost(void* address) {
  std::free(address);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  // Ordinary host memory cannot be read when a graph runs.
  if (stream->capture != nullptr && kind != cudaMemcpyDeviceToDevice)
    return result(cudaErrorStreamCaptureUnsupported);
  if (bytes > 0) enqueue(stream, [=] { std::memcpy(to, from, bytes); });
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  if (bytes > 0) enqueue(stream, [=] { std::memset(to, value, bytes); });
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = new StreamState();
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return result(stream->capture != nullptr ? cudaErrorStreamCaptureUnsupported : cudaSuccess);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new EventState();
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  enqueue(stream, [event] { event->at = std::chrono::steady_clock::now(); });
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t) {
  return refuse_in_capture();
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  *milliseconds = std::chrono::duration<float, std::milli>(end->at - start->at).count();
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  if (stream->capture != nullptr) return result(cudaErrorInvalidValue);
  stream->capture = new GraphState();
  ++captures;
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  if (stream->capture == nullptr) return result(cudaErrorInvalidValue);
  *graph = std::exchange(stream->capture, nullptr);
  --captures;
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  *executable = new GraphState(*graph);
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t) {
  for (const auto& work : executable->work) work();
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  delete executable;
  return cudaSuccess;
}

cudaError_t cudaGetLastError() {
  return std::exchange(last_error, cudaSuccess);
}
const char* cudaGetErrorName(cudaError_t error) {
  return error == cudaErrorMemoryAllocation           ? "cudaErrorMemoryAllocation"
         : error == cudaErrorNoDevice                 ? "cudaErrorNoDevice"
         : error == cudaErrorInvalidDevice            ? "cudaErrorInvalidDevice"
         : error == cudaErrorStreamCaptureUnsupported ? "cudaErrorStreamCaptureUnsupported"
                                                      : "cudaErrorInvalidValue";
}
const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaErrorMemoryAllocation           ? "out of memory"
         : error == cudaErrorNoDevice                 ? "no CUDA-capable device is detected"
         : error == cudaErrorInvalidDevice            ? "invalid device ordinal"
         : error == cudaErrorStreamCaptureUnsupported ? "operation not permitted when stream is capturing"
                                                      : "invalid argument";
}

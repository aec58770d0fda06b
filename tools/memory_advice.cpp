#include "tools/memory_advice.h"

#include <algorithm>

#include "engine/autograd.h"
#include "engine/backend.h"
#ifdef NOISYMIX_CUDA
#include "engine/cuda/backend.h"
#endif

namespace noisymix {
namespace {

/// The first `count` examples of every view.
Batch part_of(const Batch& batch, std::int64_t count, Device device, Dtype precision) {
  const std::int64_t b = batch.size();
  std::vector<std::int64_t> dims = batch.images.shape().dims();
  dims[0] = batch.views * count;
  Batch part{.images = Tensor::empty(Shape(dims), precision, device),
             .labels = batch.labels.rows(0, count).to(device),
             .views = batch.views,
             .index = batch.index};
  for (std::int64_t v = 0; v < batch.views; ++v) {
    Tensor rows = part.images.rows(v * count, (v + 1) * count);
    rows.copy_from(batch.images.rows(v * b, v * b + count).to(device).to(precision));
  }
  return part;
}

/// The most bytes in use during a step's forward and backward pass, beyond those in use before.
std::int64_t bytes_of_step(const StepParts& parts, const Batch& batch) {
  Backend& backend = backend_of(parts.device);
  const std::int64_t before = backend.memory().in_use;
  backend.reset_peak();
  backward(parts.objective.loss(parts.model, batch, Key(0)).loss);
  parts.optimizer.clear_grads();
  return backend.memory().peak_in_use - before;
}

std::int64_t available_bytes([[maybe_unused]] Device device) {
  const MemoryStats stats = backend_of(device).memory();
  std::int64_t unused = stats.reserved - stats.in_use;
#ifdef NOISYMIX_CUDA
  unused += static_cast<std::int64_t>(cuda::facts(device.index).free_memory);
#endif
  return unused;
}

}  // namespace

std::string batch_that_fits(const StepParts& parts, const Batch& batch) {
  if (parts.device.is_cpu()) return "";
  try {
    parts.optimizer.clear_grads();
    const std::int64_t few = std::clamp<std::int64_t>(batch.size() / 32, 2, 8), more = 2 * few;
    if (more >= batch.size()) return "";
    const std::int64_t first = bytes_of_step(parts, part_of(batch, few, parts.device, parts.precision));
    const std::int64_t second = bytes_of_step(parts, part_of(batch, more, parts.device, parts.precision));
    const double each = static_cast<double>(second - first) / static_cast<double>(more - few);
    const double fixed = std::max(0.0, static_cast<double>(first) - each * static_cast<double>(few));
    const double room = 0.9 * static_cast<double>(available_bytes(parts.device)) - fixed;
    const auto fits = static_cast<std::int64_t>(room / std::max(each, 1.0));
    if (fits < 1 || fits >= batch.size()) return "";
    return "; train.batch = " + std::to_string(fits >= 16 ? fits / 8 * 8 : fits) + " should fit";
  } catch (const Error&) {
    return "";
  }
}

}  // namespace noisymix

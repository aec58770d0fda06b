#include "engine/cuda/step_values.h"

#include <algorithm>
#include <cstring>

#include "engine/backend.h"
#include "engine/error.h"

namespace noisymix::cuda {
namespace {

constexpr std::size_t kAlignment = 256;
thread_local StepValues* recording = nullptr;

}  // namespace

StepValues::StepValues(Device device, std::size_t capacity)
    : host_(capacity), block_(Tensor::empty({static_cast<std::int64_t>(capacity)}, Dtype::u8, device)) {}

StepValues::Recording::Recording(StepValues& values) {
  NM_ASSERT(recording == nullptr);
  recording = &values;
}
StepValues::Recording::~Recording() {
  recording = nullptr;
}

Tensor StepValues::place(const std::string& name, const void* bytes, std::size_t size) {
  int uses = 1;
  std::string unique = name;
  for (std::size_t i = 0; i < parts_.size();) {
    if (parts_[i++].name != unique) continue;
    unique = name + "#" + std::to_string(++uses);
    i = 0;
  }
  NM_CHECK_AS(InternalError, used_ + size <= host_.size(),
              "[cuda graph] the values of a step need more than ", host_.size(), " bytes at '", unique, "'");
  const std::size_t offset = used_;
  std::memcpy(host_.data() + offset, bytes, size);
  parts_.push_back({unique, offset, size});
  used_ = (used_ + size + kAlignment - 1) / kAlignment * kAlignment;
  used_ = std::min(used_, host_.size());
  return block_.rows(static_cast<std::int64_t>(offset), static_cast<std::int64_t>(offset + size));
}

bool StepValues::set(const std::string& name, const std::vector<std::byte>& bytes) {
  for (const Part& part : parts_) {
    if (part.name != name || part.size != bytes.size()) continue;
    std::memcpy(host_.data() + part.offset, bytes.data(), bytes.size());
    return true;
  }
  return false;
}

std::vector<std::string> StepValues::names() const {
  std::vector<std::string> result;
  for (const Part& part : parts_) result.push_back(part.name);
  return result;
}

void StepValues::send() {
  backend_of(block_.device()).copy(block_.raw(), host_.data(), used_, Copy::to_device);
}

Tensor upload(const char* name, const void* bytes, std::size_t size, Device device) {
  if (recording != nullptr) return recording->place(name, bytes, size);
  return Tensor::from_bytes(bytes, {static_cast<std::int64_t>(size)}, Dtype::u8, device);
}

}  // namespace noisymix::cuda

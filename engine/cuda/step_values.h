// Numbers that differ from step to step and that kernels therefore read from device memory: lambda, partners,
// keys, learning rate. A captured step is replayed with new ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/tensor.h"

namespace noisymix::cuda {

/// The step values of one captured graph: a block on the device whose parts have names.
class StepValues {
 public:
  StepValues(Device device, std::size_t capacity);
  StepValues(const StepValues&) = delete;
  StepValues& operator=(const StepValues&) = delete;

  /// Sets the bytes of a part that an upload() made; false when there is none of this name and size.
  bool set(const std::string& name, const std::vector<std::byte>& bytes);
  /// The parts in the order of their uploads.
  std::vector<std::string> names() const;
  /// Copies all parts to the device, in the order of the stream.
  void send();

  /// While alive, upload() on this thread makes parts of these values.
  class Recording {
   public:
    explicit Recording(StepValues& values);
    ~Recording();
    Recording(const Recording&) = delete;
    Recording& operator=(const Recording&) = delete;
  };

 private:
  friend Tensor upload(const char* name, const void* bytes, std::size_t size, Device device);
  struct Part {
    std::string name;
    std::size_t offset, size;
  };
  Tensor place(const std::string& name, const void* bytes, std::size_t size);

  std::vector<std::byte> host_;
  std::size_t used_ = 0;
  std::vector<Part> parts_;
  Tensor block_;  // u8 on the device
};

/// The bytes as a u8 tensor on the device, 16-byte aligned. While values are recorded they become a part
/// called `name`, and later replays read what set() says; a second upload of the same name is called "name#2"
/// and so on.
Tensor upload(const char* name, const void* bytes, std::size_t size, Device device);

}  // namespace noisymix::cuda

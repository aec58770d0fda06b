#include "engine/storage.h"

#include "engine/backend.h"

namespace noisymix {

Storage::Storage(std::size_t bytes, Device device) : bytes_(bytes), device_(device) {
  data_ = static_cast<std::byte*>(backend_of(device).allocate(bytes));
}

Storage::~Storage() { backend_of(device_).release(data_, bytes_); }

}  // namespace noisymix

#include "augment/scratch.h"

#include <algorithm>
#include <new>

namespace noisymix {

constexpr std::size_t kLine = 64;
constexpr std::size_t kSmallestBlock = std::size_t{1} << 16;

void Scratch::Release::operator()(std::byte* bytes) const {
  ::operator delete[](bytes, std::align_val_t{kLine});
}

void* Scratch::take_bytes(std::size_t bytes) {
  const std::size_t size = (bytes + kLine - 1) / kLine * kLine;
  while (block_ < blocks_.size() && used_ + size > blocks_[block_].size) {
    ++block_;
    used_ = 0;
  }
  if (block_ == blocks_.size()) {
    const std::size_t grown = std::max({size, kSmallestBlock, blocks_.empty() ? 0 : 2 * blocks_.back().size});
    Block block;
    block.bytes.reset(static_cast<std::byte*>(::operator new[](grown, std::align_val_t{kLine})));
    block.size = grown;
    blocks_.push_back(std::move(block));
    used_ = 0;
  }
  void* taken = blocks_[block_].bytes.get() + used_;
  used_ += size;
  return taken;
}

}  // namespace noisymix

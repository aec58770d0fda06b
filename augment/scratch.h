// Memory that an image operation needs while it works, kept from one image to the next.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

namespace noisymix {

/// A stack of uninitialised arrays. After the first few images of a size nothing is allocated any more. Not
/// for several threads at once: each thread has its own.
class Scratch {
 public:
  /// `count` elements at a cache line, valid until the enclosing Frame ends.
  template <class T>
  std::span<T> take(std::size_t count) {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
    return {static_cast<T*>(take_bytes(count * sizeof(T))), count};
  }

  /// Gives back, when it ends, everything taken since it began. Every function that takes opens one.
  class Frame {
   public:
    explicit Frame(Scratch& scratch) : scratch_(scratch), block_(scratch.block_), used_(scratch.used_) {}
    ~Frame() { scratch_.rewind(block_, used_); }
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;

   private:
    Scratch& scratch_;
    std::size_t block_, used_;
  };

 private:
  struct Release {
    void operator()(std::byte* bytes) const;
  };
  struct Block {
    std::unique_ptr<std::byte[], Release> bytes;
    std::size_t size = 0;
  };
  void* take_bytes(std::size_t bytes);
  void rewind(std::size_t block, std::size_t used) {
    block_ = block;
    used_ = used;
  }

  std::vector<Block> blocks_;
  std::size_t block_ = 0, used_ = 0;  ///< the block in use and its bytes taken
};

}  // namespace noisymix

// Runs the threads of one block: each has a stack of its own and gives way at barriers.
#include "engine/cuda/emulated/block.h"

#include <ucontext.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "engine/error.h"

thread_local dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace noisymix::emulated {
namespace {

constexpr std::size_t kStack = 256 * 1024;
constexpr unsigned kWarp = 32;

enum class State { idle, running, at_block_barrier, at_warp_barrier, finished };

/// A stack on which threads run. Threads that never wait follow each other on one of them.
struct Fiber {
  ucontext_t context{};
  std::unique_ptr<char[]> stack{new char[kStack]};
  unsigned thread = 0;
};

/// NOISYMIX_EMULATED_ORDER=reverse runs the threads of a block backwards: a missing barrier then shows as
/// another result.
bool reversed() {
  static const bool value = [] {
    const char* order = std::getenv("NOISYMIX_EMULATED_ORDER");
    return order != nullptr && std::strcmp(order, "reverse") == 0;
  }();
  return value;
}

class Block {
 public:
  void run(dim3 size, std::size_t shared_bytes, const std::function<void()>& thread) {
    body_ = &thread;
    count_ = size.x * size.y * size.z;
    states_.assign(count_, State::idle);
    fiber_of_.assign(count_, nullptr);
    slots_.assign(count_, 0);
    shared_.assign((shared_bytes + 7) / 8, 0xDEADBEEFDEADBEEFull);  // so that nobody relies on zeros
    next_ = 0;
    blockDim = size;
    while (!done()) {
      if (!pass() && !release())
        fail<InternalError>("[emulated cuda] the threads of a block wait at different barriers");
    }
  }

  void wait(State why) {
    const unsigned own = current_;
    states_[own] = why;
    swapcontext(&fiber_of_[own]->context, &scheduler_);
    select(own);
  }

  std::uint64_t exchange(std::uint64_t mine, unsigned from_lane) {
    const unsigned own = current_;
    slots_[own] = mine;
    wait(State::at_warp_barrier);
    const unsigned from = own / kWarp * kWarp + from_lane;
    const std::uint64_t value = slots_[from < count_ ? from : own];
    wait(State::at_warp_barrier);
    return value;
  }
  unsigned lane() const { return current_ % kWarp; }
  void* shared() { return shared_.data(); }

  /// What a fiber does for ever: run threads that have not begun.
  void serve(Fiber& fiber) {
    for (;;) {
      while (next_ < count_) {
        const unsigned own = reversed() ? count_ - 1 - next_ : next_;
        ++next_;
        fiber.thread = own;
        fiber_of_[own] = &fiber;
        states_[own] = State::running;
        select(own);
        (*body_)();
        states_[own] = State::finished;
      }
      spare_.push_back(&fiber);
      swapcontext(&fiber.context, &scheduler_);
    }
  }

 private:
  bool done() const {
    if (next_ < count_) return false;
    for (const State state : states_)
      if (state != State::finished) return false;
    return true;
  }

  void select(unsigned thread) {
    current_ = thread;
    threadIdx =
        dim3(thread % blockDim.x, thread / blockDim.x % blockDim.y, thread / (blockDim.x * blockDim.y));
  }

  /// Begins threads and resumes those that may go on; false when there were none.
  bool pass() {
    bool any = false;
    while (next_ < count_) {
      any = true;
      resume(take_fiber());
    }
    for (unsigned i = 0; i < count_; ++i) {
      const unsigned own = reversed() ? count_ - 1 - i : i;
      if (states_[own] != State::running) continue;
      any = true;
      select(own);
      resume(*fiber_of_[own]);
    }
    return any;
  }

  void resume(Fiber& fiber) { swapcontext(&scheduler_, &fiber.context); }

  Fiber& take_fiber() {
    if (spare_.empty()) {
      fibers_.push_back(std::make_unique<Fiber>());
      Fiber& fiber = *fibers_.back();
      getcontext(&fiber.context);
      fiber.context.uc_stack.ss_sp = fiber.stack.get();
      fiber.context.uc_stack.ss_size = kStack;
      fiber.context.uc_link = nullptr;
      entering_ = &fiber;
      makecontext(&fiber.context, &Block::enter, 0);
      spare_.push_back(&fiber);
    }
    Fiber* fiber = spare_.back();
    spare_.pop_back();
    entering_ = fiber;
    return *fiber;
  }

  static void enter();

  /// Lets threads go whose barrier is complete: a warp's when all its threads that still run are there, the
  /// block's likewise. Threads that have ended count as arrived.
  bool release() {
    bool any = false;
    for (unsigned first = 0; first < count_; first += kWarp) {
      const unsigned last = first + kWarp < count_ ? first + kWarp : count_;
      any = open(first, last, State::at_warp_barrier) || any;
    }
    return any || open(0, count_, State::at_block_barrier);
  }

  bool open(unsigned first, unsigned last, State barrier) {
    bool waiting = false;
    for (unsigned i = first; i < last; ++i) {
      if (states_[i] == State::finished) continue;
      if (states_[i] != barrier) return false;
      waiting = true;
    }
    for (unsigned i = first; waiting && i < last; ++i)
      if (states_[i] == barrier) states_[i] = State::running;
    return waiting;
  }

  const std::function<void()>* body_ = nullptr;
  unsigned count_ = 0, next_ = 0, current_ = 0;
  std::vector<State> states_;
  std::vector<Fiber*> fiber_of_;
  std::vector<std::uint64_t> slots_;
  std::vector<std::uint64_t> shared_;  // words, for their alignment
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Fiber*> spare_;
  Fiber* entering_ = nullptr;
  ucontext_t scheduler_{};
};

Block& block() {
  thread_local auto* instance =
      new Block();  // its stacks may be in use when thread-local objects are destroyed
  return *instance;
}

void Block::enter() {
  Block& own = block();
  own.serve(*own.entering_);
}

}  // namespace

void run_grid(dim3 grid, dim3 block_size, std::size_t shared_bytes, const std::function<void()>& thread) {
  gridDim = grid;
  for (unsigned z = 0; z < grid.z; ++z)
    for (unsigned y = 0; y < grid.y; ++y)
      for (unsigned x = 0; x < grid.x; ++x) {
        blockIdx = dim3(x, y, z);
        block().run(block_size, shared_bytes, thread);
      }
}

void* dynamic_shared() {
  return block().shared();
}

std::uint64_t exchange(std::uint64_t mine, unsigned from) {
  return block().exchange(mine, from);
}

unsigned lane() {
  return block().lane();
}

void wait_for_block() {
  block().wait(State::at_block_barrier);
}

void wait_for_warp() {
  block().wait(State::at_warp_barrier);
}

}  // namespace noisymix::emulated

void __syncthreads() {
  noisymix::emulated::wait_for_block();
}

void __syncwarp(unsigned) {
  noisymix::emulated::wait_for_warp();
}

#include "engine/cpu/parallel.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "engine/error.h"

namespace noisymix::cpu {
namespace {

thread_local bool inside_loop = false;

/// One parallel_for in progress. Threads take the next chunk until none is left.
struct Loop {
  std::int64_t n = 0, grain = 1, chunks = 0;
  const std::function<void(std::int64_t, std::int64_t)>* body = nullptr;
  std::atomic<std::int64_t> next{0};
  std::atomic<int> finished{0};
  std::mutex error_mutex;
  std::exception_ptr error;

  void work() {
    const bool previous = inside_loop;
    inside_loop = true;
    for (;;) {
      const std::int64_t chunk = next.fetch_add(1);
      if (chunk >= chunks) break;
      try {
        (*body)(chunk * grain, std::min(n, (chunk + 1) * grain));
      } catch (...) {
        std::lock_guard lock(error_mutex);
        if (!error) error = std::current_exception();
        next.store(chunks);
      }
    }
    inside_loop = previous;
  }
};

class Pool {
 public:
  explicit Pool(int count) {
    try {
      for (int i = 1; i < count; ++i) workers_.emplace_back([this] { serve(); });
    } catch (const std::system_error& error) {
      stop();  // a running thread that is not joined would end the program
      fail<DeviceError>("[threads] cannot start ", count, " threads: ", error.code().message(), "; ask for fewer");
    }
  }
  ~Pool() { stop(); }
  int size() const { return static_cast<int>(workers_.size()) + 1; }

  void run(Loop& loop) {
    // One loop at a time: a second caller (a loader thread, say) runs its own loop alone instead of waiting.
    std::unique_lock busy(busy_, std::try_to_lock);
    if (!busy.owns_lock() || workers_.empty()) {
      loop.work();
      return;
    }
    {
      std::lock_guard lock(mutex_);
      loop_ = &loop;
      ++generation_;
    }
    wake_.notify_all();
    loop.work();
    std::unique_lock lock(mutex_);
    loop_ = nullptr;  // late workers find nothing; those inside are awaited
    done_.wait(lock, [this] { return active_ == 0; });
  }

 private:
  void stop() {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    for (auto& worker : workers_) worker.join();
  }

  void serve() {
    std::uint64_t seen = 0;
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return stop_ || (loop_ != nullptr && generation_ != seen); });
      if (stop_) return;
      seen = generation_;
      Loop* loop = loop_;
      ++active_;
      lock.unlock();
      loop->work();
      lock.lock();
      if (--active_ == 0) done_.notify_one();
    }
  }

  std::vector<std::thread> workers_;
  std::mutex busy_, mutex_;
  std::condition_variable wake_, done_;
  Loop* loop_ = nullptr;
  std::uint64_t generation_ = 0;
  int active_ = 0;
  bool stop_ = false;
};

std::mutex pool_mutex;
std::shared_ptr<Pool> pool;

int hardware_threads() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

std::shared_ptr<Pool> current_pool() {
  std::lock_guard lock(pool_mutex);
  if (!pool) pool = std::make_shared<Pool>(hardware_threads());
  return pool;
}

}  // namespace

void set_threads(int count) {
  NM_CHECK(count >= 0 && count <= 4096, "[threads] expected 0 (all) to 4096, got ", count);
  auto fresh = std::make_shared<Pool>(count == 0 ? hardware_threads() : count);
  std::lock_guard lock(pool_mutex);
  pool.swap(fresh);
}

int threads() { return current_pool()->size(); }

void parallel_for(std::int64_t n, std::int64_t grain,
                  const std::function<void(std::int64_t, std::int64_t)>& body) {
  if (n <= 0) return;
  grain = std::max<std::int64_t>(grain, 1);
  if (inside_loop || n <= grain) {
    for (std::int64_t begin = 0; begin < n; begin += grain) body(begin, std::min(n, begin + grain));
    return;
  }
  Loop loop;
  loop.n = n;
  loop.grain = grain;
  loop.chunks = chunk_count(n, grain);
  loop.body = &body;
  current_pool()->run(loop);
  if (loop.error) std::rethrow_exception(loop.error);
}

}  // namespace noisymix::cpu

// The one loop helper of all CPU kernels, on a shared pool of threads.
#pragma once

#include <cstdint>
#include <functional>

namespace noisymix::cpu {

/// Threads that parallel_for uses, the caller's included. 0 means one per hardware thread (the default).
void set_threads(int count);
int threads();

/// Calls body(begin, end) on consecutive chunks of [0, n), each `grain` long but the last. The chunks never depend on
/// the thread count, so a kernel that writes disjoint results, or keeps one partial sum per chunk and adds them in
/// order, gives the same bits for any number of threads. Runs serially inside another parallel_for. The first exception
/// of a body is rethrown to the caller.
void parallel_for(std::int64_t n, std::int64_t grain,
                  const std::function<void(std::int64_t begin, std::int64_t end)>& body);

/// Number of chunks parallel_for makes of n.
constexpr std::int64_t chunk_count(std::int64_t n, std::int64_t grain) { return (n + grain - 1) / grain; }

}  // namespace noisymix::cpu

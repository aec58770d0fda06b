// Time, arithmetic and memory traffic of every op, for `noisymix bench step --profile` and whoever looks for
// the slow part.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <type_traits>

#include "engine/tensor.h"

namespace noisymix {

/// What one kind of work has cost so far.
struct OpCost {
  std::int64_t calls = 0;
  double seconds = 0;
  double flops = 0;  ///< only of ops bound by arithmetic, which count them
  double bytes = 0;  ///< of the tensors read and written, each once
};

/// While alive, every kernel called on this thread is timed. Costs by op and part, for example "conv2d",
/// "conv2d, weight gradient", "batch_norm, backward".
class Profile {
 public:
  Profile();
  ~Profile();
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;
  static Profile* active();
  const std::map<std::string, OpCost>& costs() const { return costs_; }

 private:
  friend class ProfileScope;
  std::map<std::string, OpCost> costs_;
  Profile* previous_;
};

/// One piece of work; does nothing without an active Profile. `part` may be null: then it is "backward" while
/// gradients are computed and nothing otherwise, as for an empty one. Of nested scopes only the outermost
/// counts.
class ProfileScope {
 public:
  ProfileScope(const char* op, const char* part = nullptr);
  ~ProfileScope();
  ProfileScope(const ProfileScope&) = delete;
  ProfileScope& operator=(const ProfileScope&) = delete;
  void add_bytes(double bytes) {
    if (profile_ != nullptr) cost_.bytes += bytes;
  }
  /// The work runs on a GPU: makes it the current one, and waits for it at the end while a profile is active.
  void on_device(Device device);
  /// An argument of a kernel: tensors and whatever else says how many bytes it holds count, the rest does
  /// not.
  template <typename T>
  void add_argument(const T& x) {
    if constexpr (std::is_same_v<T, Tensor>) {
      if (x.defined()) add_bytes(static_cast<double>(x.bytes()));
    } else if constexpr (requires { x.bytes(); }) {
      add_bytes(static_cast<double>(x.bytes()));
    }
  }

 private:
  Profile* profile_;
  const char* op_;
  const char* part_;
  double start_ = 0;
  Device device_;
  OpCost cost_;
};

/// Adds to the work of the current scope.
void count_flops(double flops);

/// Marks what runs on this thread as part of the backward pass while alive.
class BackwardPass {
 public:
  BackwardPass();
  ~BackwardPass();
  BackwardPass(const BackwardPass&) = delete;
  BackwardPass& operator=(const BackwardPass&) = delete;

 private:
  bool previous_;
};

}  // namespace noisymix

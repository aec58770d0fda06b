#include "engine/profile.h"

#include <chrono>
#include <utility>

#include "engine/backend.h"
#include "engine/error.h"

namespace noisymix {
namespace {

thread_local Profile* active_profile = nullptr;
thread_local OpCost* current_cost = nullptr;
thread_local bool in_backward = false;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Profile::Profile() : previous_(std::exchange(active_profile, this)) {}
Profile::~Profile() {
  active_profile = previous_;
}
Profile* Profile::active() {
  return active_profile;
}

ProfileScope::ProfileScope(const char* op, const char* part)
    : profile_(current_cost == nullptr ? active_profile : nullptr), op_(op), part_(part) {
  if (profile_ == nullptr) return;
  current_cost = &cost_;
  start_ = now();
}

ProfileScope::~ProfileScope() {
  if (profile_ == nullptr) return;
  if (!device_.is_cpu()) {
    try {
      backend_of(device_).synchronize();
    } catch (const DeviceError&) {  // the next call will meet the error again
    }
  }
  cost_.seconds = now() - start_;
  current_cost = nullptr;
  if (part_ == nullptr && in_backward) part_ = "backward";
  const bool whole = part_ == nullptr || *part_ == '\0';
  OpCost& total = profile_->costs_[whole ? std::string(op_) : std::string(op_) + ", " + part_];
  ++total.calls;
  total.seconds += cost_.seconds;
  total.flops += cost_.flops;
  total.bytes += cost_.bytes;
}

void ProfileScope::on_device(Device device) {
  select_device(device);
  device_ = device;
}

void count_flops(double flops) {
  if (current_cost != nullptr) current_cost->flops += flops;
}

BackwardPass::BackwardPass() : previous_(std::exchange(in_backward, true)) {}
BackwardPass::~BackwardPass() {
  in_backward = previous_;
}

}  // namespace noisymix

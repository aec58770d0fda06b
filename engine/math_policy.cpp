#include "engine/math_policy.h"

namespace noisymix {
namespace {

MathPolicy current;

}  // namespace

const MathPolicy& math_policy() {
  return current;
}

void set_math_policy(const MathPolicy& policy) {
  current = policy;
}

}  // namespace noisymix

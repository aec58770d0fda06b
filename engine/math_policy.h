// How exactly a GPU has to compute what its libraries offer several ways for. The CPU always computes in full
// precision and gives the same bits.
#pragma once

namespace noisymix {

struct MathPolicy {
  bool tf32 = false;          ///< f32 products may round their operands to 10 bits
  bool deterministic = true;  ///< only algorithms that give the same bits every time
  bool timed = true;  ///< choose by timing the candidates at their first use, else take the library's first
  bool operator==(const MathPolicy&) const = default;
};

/// Of the whole process; set it before the first step.
const MathPolicy& math_policy();
void set_math_policy(const MathPolicy& policy);

}  // namespace noisymix

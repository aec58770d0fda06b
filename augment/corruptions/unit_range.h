// What the corruptions that work pixel by pixel share: values from 0 to 1 and the way back to bytes.
#pragma once

#include "augment/corruptions/corruption.h"
#include "augment/image_ops.h"
#include "engine/error.h"

namespace noisymix {

/// The nearest value in 0..1.
template <class T>
inline __attribute__((always_inline)) T clip_unit(T value) {
  value = value > T{0} ? value : T{0};
  return value < T{1} ? value : T{1};
}

/// The constants of a severity. Throws ConfigError unless 1 <= severity <= 5.
template <class Row>
const Row& constants_of(const BySeverity<Row> (&sets)[3], ParameterSet set, int severity, const char* name) {
  NM_CHECK_AS(ConfigError, severity >= 1 && severity <= kSeverities, "[", name, "] severity is ", severity,
              ", expected 1 to 5");
  return sets[static_cast<int>(set)][severity - 1];
}

}  // namespace noisymix

// Frames of brightness against recorded ones.
#include <doctest/doctest.h>

#include "tests/augment/sequences/golden_sequence.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("brightness frames: exact") {
  check_golden_sequence(SequenceType::brightness, 0, 0);
}

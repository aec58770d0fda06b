#include "engine/cpu/cpu_features.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "engine/cpu/vectorise.h"
#include "engine/error.h"

using namespace noisymix;

namespace {

NM_VECTORISED(scale_into, (float* y, const float* x, std::int64_t n, float factor), (y, x, n, factor)) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = x[i] * factor + 1.0f;
}

}  // namespace

TEST_CASE("every usable level runs and gives the same bits") {
  const cpu::Isa before = cpu::active_isa();
  std::vector<float> x(101), want(101), got(101);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<float>(i) * 0.37f;
    want[i] = x[i] * 1.7f + 1.0f;
  }
  for (const cpu::Isa isa : cpu::usable_isas()) {
    cpu::set_isa(isa);
    CHECK(cpu::active_isa() == isa);
    scale_into(got.data(), x.data(), 101, 1.7f);
    CHECK(got == want);
  }
  cpu::set_isa(before);
}

TEST_CASE("levels are ordered, portable is always there") {
  const auto usable = cpu::usable_isas();
  CHECK(usable.front() == cpu::Isa::portable);
  CHECK(usable.back() == cpu::best_isa());
  CHECK(cpu::name_of(cpu::Isa::avx512) == std::string("avx512"));
  if (cpu::best_isa() < cpu::Isa::avx512) CHECK_THROWS_AS(cpu::set_isa(cpu::Isa::avx512), DeviceError);
}

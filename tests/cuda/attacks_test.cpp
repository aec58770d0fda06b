// Attacks on the GPU, against the CPU's.
#include "augment/attacks.h"

#include <doctest/doctest.h>

#include "tests/check_device.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("cuda attacks") {
  const std::optional<Device> device = gpu();
  if (!device) return;
  const Normalization cifar{{0.4914f, 0.4822f, 0.4465f}, {0.25f, 0.2f, 0.5f}};
  const Tensor x = random_uniform({3, 5, 7, 3}, Key(13), -0.8, 0.9, Dtype::f64),
               w = random_normal(x.shape(), Key(6), 0, 1, Dtype::f64);
  for (const AttackNorm norm : {AttackNorm::linf, AttackNorm::l2}) {
    const PgdOptions options{.epsilon = 0.1, .norm = norm, .start = AttackStart::random, .clip = true};
    const auto run = [&](Device where) {
      const Tensor there = w.to(where);
      const AttackLoss loss = [there](const Tensor& at) { return sum(mul(there, square(at))); };
      return pgd(loss, x.to(where), cifar, options, Key(8), 0);
    };
    const Tensor got = run(*device);
    CHECK(got.device() == *device);
    CHECK(relative_error(got, run(Device{})) < 1e-12);
  }
}

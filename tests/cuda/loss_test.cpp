#include <doctest/doctest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "engine/ops/cross_entropy.h"
#include "engine/ops/jensen_shannon.h"
#include "engine/ops/view_loss.h"
#include "tests/check_device.h"

using namespace noisymix;
using namespace noisymix::testing;
using Inputs = std::vector<Tensor>;

namespace {

Tensor some_labels(std::int64_t count, std::int64_t classes) {
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < count; ++i)
    labels.push_back(Key(5).below(static_cast<std::uint64_t>(i), classes));
  return Tensor::from(labels, {count});
}

}  // namespace

TEST_CASE("cuda: cross entropy of labels and of soft targets") {
  for (const std::int64_t classes : {1, 3, 33})
    for (const std::int64_t rows : {1, 11}) {
      INFO(rows << " rows, " << classes << " classes");
      const Tensor logits = random_normal({rows, classes}, Key(1), 0, 3), labels = some_labels(rows, classes);
      const Tensor targets = random_uniform({rows, classes}, Key(2));
      for (const Reduction reduction : {Reduction::mean, Reduction::sum, Reduction::none})
        for (const double smoothing : {0.0, 0.1}) {
          check_devices_agree(
              "cross_entropy",
              [&](const Inputs& in) { return cross_entropy(in[0], in[1], smoothing, reduction); },
              {logits, labels}, {1e-12, 3e-6, 2e-2});
          if (smoothing > 0) continue;
          check_devices_agree(
              "cross_entropy_soft",
              [&](const Inputs& in) { return cross_entropy_soft(in[0], in[1].detach(), reduction); },
              {logits, targets}, {1e-12, 3e-6, 2e-2});
        }
    }
}

TEST_CASE("cuda: a label out of range gives NaN") {
  const auto device = gpu();
  if (!device) return;
  const Tensor logits = random_normal({2, 3}, Key(1)).to(*device);
  for (const std::int64_t bad : {-1, 3})
    CHECK(std::isnan(cross_entropy(logits, Tensor::from<std::int64_t>({0, bad}, {2}, *device)).item()));
  CHECK(std::isnan(view_loss(logits, Tensor::from<std::int64_t>({0, 5}, {2}, *device), {}).loss.item()));
}

TEST_CASE("cuda: Jensen-Shannon divergence") {
  for (const std::int64_t views : {1, 2, 3})
    for (const std::int64_t classes : {2, 35})
      for (const double floor : {1e-7, 0.05})
        check_devices_agree("jensen_shannon",
                            [&](const Inputs& in) { return jensen_shannon(in[0], views, floor); },
                            {random_normal({views * 5, classes}, Key(3), 0, 2)}, {1e-11, 5e-6, 2e-2});
}

TEST_CASE("cuda: the whole loss of a step, its terms and its gradient") {
  const auto device = gpu();
  if (!device) return;
  for (const std::int64_t classes : {2, 35})
    for (const std::int64_t samples : {1, 9})
      for (const int mode : {0, 1, 2, 3, 4}) {
        INFO(classes << " classes, " << samples << " samples, mode " << mode);
        ViewLossOptions o;
        o.views = mode == 0 ? 1 : 3;
        o.counted_views = mode == 3 ? 3 : 1;
        o.consistency_weight = mode == 0 || mode == 4 ? 0 : 12;
        o.label_smoothing = mode == 2 ? 0.1 : 0;
        if (mode >= 1) {
          o.lambda = 0.3;
          o.permutation = permutation(Key(4), samples);
        }
        const Tensor logits = random_normal({o.views * samples, classes}, Key(6), 0, 2),
                     labels = some_labels(samples, classes);
        check_devices_agree("view_loss", [&](const Inputs& in) { return view_loss(in[0], in[1], o).loss; },
                            {logits, labels}, {1e-11, 5e-6, 2e-2});
        const auto want = view_loss(logits, labels, o).terms.to_vector<double>();
        const auto got = view_loss(logits.to(*device), labels.to(*device), o).terms.to_vector<double>();
        for (std::size_t i = 0; i < 3; ++i) CHECK(got[i] == doctest::Approx(want[i]).epsilon(1e-6));
      }
}

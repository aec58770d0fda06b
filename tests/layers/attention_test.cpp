// Self-attention against loops, its gradients, and its draws.
#include "layers/attention.h"

#include "engine/ops/dropout.h"
#include "tests/layers/check_layer.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

constexpr std::int64_t kBatch = 2, kTokens = 5, kFeatures = 6, kHeads = 3, kHead = kFeatures / kHeads;

/// Row-major element.
double at(const std::vector<double>& x, std::int64_t row, std::int64_t column, std::int64_t width) {
  return x[static_cast<std::size_t>(row * width + column)];
}

/// The definition, one number at a time.
std::vector<double> expected(const std::vector<double>& x, const std::vector<double>& qkv,
                             const std::vector<double>& proj, const std::vector<double>& bias) {
  std::vector<double> joined(x.size()), result(x.size());
  const auto project = [&](std::int64_t row, std::int64_t out) {
    double total = 0;
    for (std::int64_t i = 0; i < kFeatures; ++i)
      total += at(x, row, i, kFeatures) * at(qkv, out, i, kFeatures);
    return total;
  };
  for (std::int64_t n = 0; n < kBatch; ++n)
    for (std::int64_t h = 0; h < kHeads; ++h)
      for (std::int64_t t = 0; t < kTokens; ++t) {
        std::vector<double> weight;
        double total = 0;
        for (std::int64_t s = 0; s < kTokens; ++s) {
          double score = 0;
          for (std::int64_t d = 0; d < kHead; ++d)
            score +=
                project(n * kTokens + t, h * kHead + d) * project(n * kTokens + s, kFeatures + h * kHead + d);
          weight.push_back(std::exp(score / std::sqrt(static_cast<double>(kHead))));
          total += weight.back();
        }
        for (std::int64_t d = 0; d < kHead; ++d) {
          double value = 0;
          for (std::int64_t s = 0; s < kTokens; ++s)
            value += weight[static_cast<std::size_t>(s)] / total *
                     project(n * kTokens + s, 2 * kFeatures + h * kHead + d);
          joined[static_cast<std::size_t>((n * kTokens + t) * kFeatures + h * kHead + d)] = value;
        }
      }
  for (std::int64_t row = 0; row < kBatch * kTokens; ++row)
    for (std::int64_t o = 0; o < kFeatures; ++o) {
      double total = bias[static_cast<std::size_t>(o)];
      for (std::int64_t i = 0; i < kFeatures; ++i)
        total += at(joined, row, i, kFeatures) * at(proj, o, i, kFeatures);
      result[static_cast<std::size_t>(row * kFeatures + o)] = total;
    }
  return result;
}

}  // namespace

TEST_CASE("attention is softmax(q k' / sqrt(d)) v per head, then a linear map") {
  Attention layer(kFeatures, {.heads = kHeads});
  CHECK(names_of(layer.state()) == std::vector<std::string>{"qkv.weight", "proj.weight", "proj.bias"});
  layer.initialize(Key(2));
  layer.to(Dtype::f64);
  const Tensor x = random_normal({kBatch, kTokens, kFeatures}, Key(1), 0, 2, Dtype::f64);
  const auto want = expected(values(x), values(state_of(layer, "qkv.weight")),
                             values(state_of(layer, "proj.weight")), values(state_of(layer, "proj.bias")));
  const auto got = values(layer(x, {}));
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == doctest::Approx(want[i]).epsilon(1e-12));
}

TEST_CASE("gradients of attention, with and without dropout") {
  Attention plain(4, {.heads = 2}), dropping(4, {.heads = 2, .attention_dropout = 0.3, .dropout = 0.2});
  const Tensor x = random_normal({2, 3, 4}, Key(1));
  check_layer_gradients(plain, x, training_context());
  check_layer_gradients(dropping, x, training_context());
}

TEST_CASE("attention draws from its key in training only") {
  Attention layer(8, {.heads = 2, .attention_dropout = 0.5});
  layer.initialize(Key(2));
  CHECK(layer.drawing_modules() == std::vector<std::string>{"attn_drop"});
  const Tensor x = random_normal({2, 6, 8}, Key(1));
  CHECK(same_bits(layer(x, training_context(4)), layer(x, training_context(4))));
  CHECK_FALSE(same_bits(layer(x, training_context(4)), layer(x, training_context(5))));
  CHECK_FALSE(same_bits(layer(x, training_context(4)), layer(x, {})));
}

TEST_CASE("attention rejects what does not fit") {
  CHECK_THROWS_WITH_AS(Attention(6, {.heads = 4}),
                       "[Attention] 6 features cannot be split evenly into 4 heads", ShapeError);
  Attention layer(8);
  CHECK(message_of([&] {
          layer(Tensor::zeros({2, 6, 4}), {});
        }) == "[Attention] expects [n, tokens, 8], got " + Shape{2, 6, 4}.str());
}

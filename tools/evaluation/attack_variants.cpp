#include "tools/evaluation/attack_variants.h"

#include <functional>

#include "augment/attacks.h"
#include "engine/ops/cross_entropy.h"

namespace noisymix {
namespace {

/// A forward and a backward pass cost about three forward passes.
constexpr double kPassesPerGradient = 3;

using Attack = std::function<Tensor(const AttackLoss& loss, const Tensor& x,
                                    const Normalization& normalization, std::int64_t first)>;

Variant attacked(const char* type, double epsilon, std::int64_t examples, int gradients,
                 const Attack& attack) {
  Variant variant;
  variant.place.suite = "attacks";
  variant.place.type = type;
  variant.place.level = epsilon;
  variant.examples = examples;
  variant.passes = 1 + kPassesPerGradient * gradients;
  variant.perturb = [attack](const Tensor& x, const Tensor& labels, const LoadedRun& run,
                             std::int64_t first) {
    const Device device = run.model->device();
    const Tensor there = labels.to(device);
    const AttackLoss loss = [&](const Tensor& input) {
      return cross_entropy((*run.model)(input, Context::evaluation()), there);
    };
    return attack(loss, x.to(device), run.normalization, first);
  };
  return variant;
}

}  // namespace

std::vector<Variant> make_attack_variants(const EvaluateOptions& options, std::int64_t examples) {
  const AttackLevels& levels = options.attacks;
  std::vector<Variant> variants;
  for (const double epsilon : levels.fgsm) {
    variants.push_back(
        attacked("fgsm", epsilon, examples, 1,
                 [=](const AttackLoss& loss, const Tensor& x, const Normalization& normalization,
                     std::int64_t) { return fgsm(loss, x, normalization, {.epsilon = epsilon}); }));
  }
  const Key key = Key(options.seed).child("attack");
  const auto add_pgd = [&](const char* type, AttackNorm norm, double epsilon) {
    variants.push_back(
        attacked(type, epsilon, examples, levels.iterations,
                 [=, iterations = levels.iterations](const AttackLoss& loss, const Tensor& x,
                                                     const Normalization& normalization, std::int64_t first) {
                   const PgdOptions pgd_options{.epsilon = epsilon, .norm = norm, .iterations = iterations};
                   return pgd(loss, x, normalization, pgd_options, key, first);
                 }));
  };
  for (const double epsilon : levels.pgd_linf) add_pgd("pgd_linf", AttackNorm::linf, epsilon);
  for (const double epsilon : levels.pgd_l2) add_pgd("pgd_l2", AttackNorm::l2, epsilon);
  return variants;
}

}  // namespace noisymix

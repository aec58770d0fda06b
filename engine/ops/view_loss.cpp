// Kernel and op of view_loss.h. Equations: docs/method.md; cross_entropy() and jensen_shannon() are the
// reference.
#include "engine/ops/view_loss.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/autograd.h"
#include "engine/cpu/element.h"
#include "engine/cpu/parallel.h"
#include "engine/kernel.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/gather.h"
#ifdef NOISYMIX_CUDA
#include "engine/cuda/step_values.h"
#endif

namespace noisymix {
namespace cpu {
namespace {

/// Distribution that a row is compared with: the smoothed label, mixed with the partner's smoothed label.
struct Target {
  std::int64_t own, partner;
  double lambda, smoothing, uniform;  // uniform: smoothing / classes
  double operator()(std::int64_t j) const {
    return uniform + (1 - smoothing) * ((j == own ? lambda : 0) + (j == partner ? 1 - lambda : 0));
  }
};

/// -sum_j t_j log p_j for one smoothed label t. A class of weight 0 adds nothing, even where its logit is
/// -inf.
double label_loss(const double* log_p, std::int64_t label, double smoothing, std::int64_t classes) {
  if (smoothing == 0) return -log_p[label];
  const double uniform = smoothing / static_cast<double>(classes);
  double loss = 0;
  for (std::int64_t j = 0; j < classes; ++j) loss -= ((label == j ? 1 - smoothing : 0) + uniform) * log_p[j];
  return loss;
}

/// p = softmax(x) and log p of one row in double; log p is finite where p underflows. One exponential per
/// class.
template <typename T>
void softmax_row(const T* x, double* p, double* log_p, std::int64_t classes) {
  double peak = as_double(x[0]);
  for (std::int64_t j = 1; j < classes; ++j) peak = std::max(peak, as_double(x[j]));
  double total = 0;
  for (std::int64_t j = 0; j < classes; ++j) total += p[j] = std::exp(as_double(x[j]) - peak);
  const double shift = peak + std::log(total), scale = 1 / total;
  for (std::int64_t j = 0; j < classes; ++j) {
    p[j] *= scale;
    log_p[j] = as_double(x[j]) - shift;
  }
}

/// What one example's views need besides logits and gradient, [views, k] each and [views].
struct Workspace {
  std::vector<double> p, log_p, slopes, dots;
  Workspace(std::int64_t views, std::int64_t classes)
      : p(static_cast<std::size_t>(views * classes)),
        log_p(p.size()),
        slopes(p.size()),
        dots(static_cast<std::size_t>(views)) {}
};

/// sum_v KL(p_v || m) of one example, m = clamp(mean_v p_v, floor, 1); into `slopes` its derivatives by p
/// and into `dots` their mean under p_v, so that p (slope - dot) is the gradient by the logits. The 1 of the
/// derivative of p log p and the -1 that comes back through m cancel unless the clamp cuts the latter.
double divergence(Workspace& at, std::int64_t views, std::int64_t classes, double floor) {
  const double *p = at.p.data(), *log_p = at.log_p.data(), log_floor = std::log(floor);
  double *slope = at.slopes.data(), *dot = at.dots.data();
  std::fill_n(dot, views, 0.0);
  double total = 0;
  for (std::int64_t j = 0; j < classes; ++j) {
    double mean = 0;
    for (std::int64_t v = 0; v < views; ++v) mean += p[v * classes + j];
    mean /= static_cast<double>(views);
    const bool clamped = mean < floor;
    const double log_m = clamped ? log_floor : std::log(std::min(mean, 1.0));
    for (std::int64_t v = 0; v < views; ++v) {
      const std::int64_t i = v * classes + j;
      slope[i] = 0;
      if (p[i] == 0) continue;  // 0 log 0 = 0
      const double q = log_p[i] - log_m;
      total += p[i] * q;
      slope[i] = q + (clamped ? 1 : 0);
      dot[v] += p[i] * slope[i];
    }
  }
  return total;
}

/// The inputs by rows, and per example the sums that it adds to the loss.
template <typename T>
struct Pass {
  using C = compute_t<T>;
  const T* x;
  const std::int64_t *labels, *partners;
  C* gradient;  // d loss / d logits, or null where nobody asks for it
  std::int64_t samples, classes;
  const ViewLossOptions& options;
  std::vector<double> own, partner, divergences, correct;  // [counted views, b] twice, [b] twice

  bool mixed() const { return options.lambda != 1; }
  bool consistent() const { return options.consistency_weight != 0; }

  Pass(const Tensor& logits, const Tensor& label, const Tensor& other, Tensor& dx, const ViewLossOptions& o)
      : x(logits.data<T>()),
        labels(label.data<std::int64_t>()),
        partners(other.data<std::int64_t>()),
        gradient(dx.defined() ? dx.mutable_data<C>() : nullptr),
        samples(label.dim(0)),
        classes(logits.dim(1)),
        options(o),
        own(static_cast<std::size_t>(o.counted_views * samples)),
        partner(own.size()),
        divergences(static_cast<std::size_t>(samples)),
        correct(static_cast<std::size_t>(samples)) {}

  void example(std::int64_t i, Workspace& at) {
    const std::int64_t used = consistent() ? options.views : options.counted_views;
    for (std::int64_t v = 0; v < used; ++v)
      softmax_row(x + (v * samples + i) * classes, &at.p[index(v, classes)], &at.log_p[index(v, classes)],
                  classes);
    for (std::int64_t v = 0; v < options.counted_views; ++v) {
      const double* log_p = &at.log_p[index(v, classes)];
      own[index(v, samples, i)] = label_loss(log_p, labels[i], options.label_smoothing, classes);
      if (mixed())
        partner[index(v, samples, i)] = label_loss(log_p, partners[i], options.label_smoothing, classes);
    }
    const std::int64_t predicted = std::max_element(at.p.data(), at.p.data() + classes) - at.p.data();
    correct[index(i, 1)] =
        (predicted == labels[i] ? options.lambda : 0) + (predicted == partners[i] ? 1 - options.lambda : 0);
    if (consistent())
      divergences[index(i, 1)] = divergence(at, options.views, classes, options.consistency_floor);
    if (gradient == nullptr) return;
    for (std::int64_t v = 0; v < options.views; ++v) view_gradient(v, i, at);
  }

  /// dL / df_v = [v counted] (p - t) / (counted b) + gamma p (slope - dot) / (V b), rounded once.
  void view_gradient(std::int64_t v, std::int64_t i, const Workspace& at) {
    const double *p = &at.p[index(v, classes)], *slope = &at.slopes[index(v, classes)];
    const double rows = static_cast<double>(samples), dot = at.dots[index(v, 1)];
    const bool counted = v < options.counted_views;
    const double gamma = options.consistency_weight / (rows * static_cast<double>(options.views));
    const double scale = 1 / (rows * static_cast<double>(options.counted_views));
    const Target target{labels[i], partners[i], options.lambda, options.label_smoothing,
                        options.label_smoothing / static_cast<double>(classes)};
    C* to = gradient + (v * samples + i) * classes;
    for (std::int64_t j = 0; j < classes; ++j) {
      double g = 0;
      if (counted) g = scale * (p[j] - target(j));
      if (consistent()) g += gamma * p[j] * (slope[j] - dot);
      to[j] = static_cast<C>(g);
    }
  }

  static std::size_t index(std::int64_t row, std::int64_t width, std::int64_t column = 0) {
    return static_cast<std::size_t>(row * width + column);
  }
};

/// scale * the sum of count numbers in their order.
template <typename C>
C total(const double* values, std::int64_t count, double scale) {
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += values[i];
  return static_cast<C>(scale * sum);
}

/// The terms from the examples' sums. Rounds after every step, as the composition of the separate ops does,
/// so that both report the same numbers but for the last bit of a sum.
template <typename T, typename C = compute_t<T>>
void join_terms(const Pass<T>& pass, Tensor& loss, Tensor& terms) {
  const ViewLossOptions& o = pass.options;
  const std::int64_t b = pass.samples;
  C cross_entropy = 0, consistency = 0;
  for (std::int64_t v = 0; v < o.counted_views; ++v) {
    C term = total<C>(pass.own.data() + v * b, b, 1 / static_cast<double>(b));
    if (pass.mixed()) {
      const C own = term * static_cast<C>(o.lambda),
              partner = total<C>(pass.partner.data() + v * b, b, 1 / static_cast<double>(b));
      term = own + partner * static_cast<C>(1 - o.lambda);
    }
    cross_entropy = v == 0 ? term : cross_entropy + term;
  }
  if (o.counted_views > 1) cross_entropy *= static_cast<C>(1 / static_cast<double>(o.counted_views));
  if (pass.consistent()) {
    double sum = 0;
    for (const double divergence : pass.divergences) sum += divergence;
    consistency = static_cast<C>(sum / static_cast<double>(o.views * b));
    consistency *= static_cast<C>(o.consistency_weight);
  }
  loss.mutable_data<C>()[0] = pass.consistent() ? cross_entropy + consistency : cross_entropy;
  terms.mutable_data<double>()[0] = static_cast<double>(cross_entropy);
  terms.mutable_data<double>()[1] = static_cast<double>(consistency);
  double correct = 0;
  for (const double share : pass.correct) correct += share;
  terms.mutable_data<double>()[2] = correct / static_cast<double>(b);
}

void check_labels(const Tensor& labels, std::int64_t classes) {
  const std::int64_t* label = labels.data<std::int64_t>();
  for (std::int64_t i = 0; i < labels.numel(); ++i)
    NM_CHECK(label[i] >= 0 && label[i] < classes, "[view_loss] label ", label[i], " in row ", i,
             " is outside 0..", classes - 1);
}

/// loss (scalar), terms = {cross entropy, consistency, accuracy} (f64) and, where it is defined, the
/// gradient.
void view_loss(const Tensor& logits, const Tensor& labels, const Tensor& partners, Tensor& gradient,
               Tensor& loss, Tensor& terms, const ViewLossOptions& options) {
  check_labels(labels, logits.dim(1));
  dispatch_floating("view_loss", logits.dtype(), [&]<typename T>() {
    Pass<T> pass(logits, labels, partners, gradient, options);
    // Chunks of a few thousand exponentials.
    const std::int64_t grain = std::max<std::int64_t>(1, (1 << 11) / (options.views * pass.classes));
    parallel_for(pass.samples, grain, [&](std::int64_t begin, std::int64_t end) {
      Workspace workspace(options.views, pass.classes);
      for (std::int64_t i = begin; i < end; ++i) pass.example(i, workspace);
    });
    join_terms(pass, loss, terms);
  });
}

}  // namespace
}  // namespace cpu

namespace {

constexpr Kernel kernel{"view_loss", cpu::view_loss, NM_CUDA(cuda::view_loss)};

void check_tensors(const Tensor& logits, const Tensor& labels, std::int64_t views) {
  NM_CHECK(logits.rank() == 2 && logits.dim(1) > 0,
           "[view_loss] expects logits [views * b, k] with k > 0, got shape ", logits.shape());
  NM_CHECK(views >= 1 && logits.dim(0) % views == 0 && logits.dim(0) > 0, "[view_loss] cannot divide ",
           logits.dim(0), " rows into ", views, " views of at least one sample");
  const std::int64_t samples = logits.dim(0) / views;
  NM_CHECK(labels.dtype() == Dtype::i64, "[view_loss] expects i64 labels, got ", labels.dtype());
  NM_CHECK(labels.shape() == Shape{samples}, "[view_loss] expects labels of shape ", Shape{samples}, " for ",
           views, " views with logits ", logits.shape(), ", got ", labels.shape());
  NM_CHECK(labels.device() == logits.device(), "[view_loss] expects tensors on one device, got ",
           logits.device(), " and ", labels.device());
}

void check_options(const ViewLossOptions& o, std::int64_t samples) {
  NM_CHECK(o.counted_views >= 1 && o.counted_views <= o.views, "[view_loss] cannot count ", o.counted_views,
           " of ", o.views, " views in the cross entropy");
  NM_CHECK(o.lambda >= 0 && o.lambda <= 1, "[view_loss] lambda must be in [0, 1], got ", o.lambda);
  const auto count = static_cast<std::int64_t>(o.permutation.size());
  NM_CHECK(count == 0 || count == samples, "[view_loss] a permutation of ", count, " for ", samples,
           " labels");
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t partner = o.permutation[static_cast<std::size_t>(i)];
    NM_CHECK(partner >= 0 && partner < samples, "[view_loss] partner ", partner, " at position ", i,
             " is outside 0..", samples - 1);
  }
  NM_CHECK(o.label_smoothing >= 0 && o.label_smoothing <= 1,
           "[view_loss] expects label smoothing in 0..1, got ", o.label_smoothing);
  NM_CHECK(o.consistency_weight >= 0, "[view_loss] expects a consistency weight of at least 0, got ",
           o.consistency_weight);
  NM_CHECK(o.consistency_weight == 0 || (o.consistency_floor >= 0 && o.consistency_floor <= 1),
           "[view_loss] expects a floor of 0 to 1, got ", o.consistency_floor);
}

/// The partners' labels [b]; on a GPU the packed values, from which the kernel finds them.
Tensor partners_of(const Tensor& labels, const ViewLossOptions& o) {
#ifdef NOISYMIX_CUDA
  if (!labels.device().is_cpu()) {
    const std::vector<std::byte> values = pack_view_loss(o);
    return cuda::upload("view_loss", values.data(), values.size(), labels.device());
  }
#endif
  if (o.lambda == 1) return labels;
  return index_select(labels, Tensor::from(o.permutation, {labels.dim(0)}, labels.device()));
}

}  // namespace

std::vector<std::byte> pack_view_loss(const ViewLossOptions& o) {
  const double lambda = o.permutation.empty() ? 1 : o.lambda;
  std::vector<std::byte> bytes(sizeof lambda + o.permutation.size() * sizeof(std::int64_t));
  std::memcpy(bytes.data(), &lambda, sizeof lambda);
  if (!o.permutation.empty())
    std::memcpy(bytes.data() + sizeof lambda, o.permutation.data(),
                o.permutation.size() * sizeof(std::int64_t));
  return bytes;
}

ViewLoss view_loss(const Tensor& logits, const Tensor& labels, const ViewLossOptions& options) {
  check_tensors(logits, labels, options.views);
  check_options(options, labels.dim(0));
  ViewLossOptions used = options;
  if (used.permutation.empty()) used.lambda = 1;
  const Tensor partners = partners_of(labels, used);
  // bf16 holds too little for sums and for a gradient that is yet to be scaled.
  const Dtype dtype = logits.dtype(), compute = dtype == Dtype::bf16 ? Dtype::f32 : dtype;
  Tensor loss = Tensor::empty({}, compute, logits.device());
  Tensor terms = Tensor::empty({3}, Dtype::f64, logits.device());
  Tensor gradient;
  if (wants_grad(logits)) gradient = Tensor::empty(logits.shape(), compute, logits.device());
  kernel(logits, labels, partners, gradient, loss, terms, used);
  loss = record("view_loss", {logits}, loss, [gradient, dtype](const Tensor& dy) {
    return Grads{mul(gradient, dy).to(dtype)};  // a scalar times what the forward pass has found
  });
  return {loss, terms};
}

}  // namespace noisymix

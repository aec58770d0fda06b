// Second-order expansions of consistency losses, checked numerically: the Jensen-Shannon divergence of two
// views (NoisyMix paper, proposition 1 and theorem 2) and the Kullback-Leibler divergence between a point and
// its noisy copy (DiGN paper).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/key.h"
#include "models/registry.h"

namespace noisymix {

/// JS(p(z0), p(z1)) with weights 1/2, natural logarithm, p = softmax.
double jensen_shannon_of(const std::vector<double>& z0, const std::vector<double>& z1);

/// JS(p(z0 + eps d0), p(z1 + eps d1)) = value + eps slope + eps^2 / 2 curvature + o(eps^2).
struct JsExpansion {
  double value = 0, slope = 0, curvature = 0;
  double at(double eps) const { return value + eps * slope + eps * eps / 2 * curvature; }
};

/// With p_v = softmax(z_v), m their mean, c_v = d_v - <p_v, d_v>, p_v' = p_v c_v and
/// p_v'' = p_v (c_v^2 - <p_v, c_v^2>), all per class:
///   slope     = 1/2 sum_v <p_v', log(p_v / m)>
///   curvature = 1/2 sum_v (<p_v'', log(p_v / m)> + <p_v', p_v' / p_v>) - <m', m' / m>.
/// For z0 = z1 it is 1/4 (d0 - d1)^T (diag p - p p^T) (d0 - d1), without value and slope. Throws ShapeError
/// unless all four have one length of at least 1.
JsExpansion expand_jensen_shannon(const std::vector<double>& z0, const std::vector<double>& z1,
                                  const std::vector<double>& d0, const std::vector<double>& d1);

/// Tr G(x) of every row of x [n, inputs] (f64): G = sum_k p_k grad log p_k (grad log p_k)^T, the Fisher
/// matrix of the model's prediction by its input; gradients by autograd, one pass per class.
std::vector<double> fisher_traces(Model& model, const Tensor& x);

/// Standard normal draws [draws, inputs] in pairs of opposite sign, transformed so that their second moments
/// are exactly the unit matrix: what is left between both sides of an identity is then its remainder, not the
/// error of sampling. `draws` is even and at least 4 inputs. Throws ShapeError else.
std::vector<double> matched_normals(std::int64_t draws, std::int64_t inputs, Key key);

/// Mean over rows of x and draws of KL(p(x) || p(x + sigma xi)), f64.
double noisy_divergence(Model& model, const Tensor& x, double sigma, const std::vector<double>& normals);
/// The same with sigma ~ U(0, largest), by Gauss-Legendre quadrature of five nodes.
double noisy_divergence_uniform(Model& model, const Tensor& x, double largest,
                                const std::vector<double>& normals);

struct ConsistencyOptions {
  int classes = 10;  ///< of the logits of the Jensen-Shannon part
  int pairs = 200;   ///< of views, logits and directions of which are standard normal
  std::int64_t points = 64, inputs = 4,
               units = 32;   ///< of the network of the other part: gelu, random weights
  std::int64_t draws = 256;  ///< of noise for each point
  std::uint64_t seed = 0;
};

/// Means over the pairs at one eps.
struct JsPoint {
  double eps = 0;
  double exact = 0, expansion = 0;
  double remainder = 0;  ///< |exact - expansion|
};

/// Means over the points at one level of noise.
struct KlPoint {
  double sigma = 0;
  double fixed = 0, fixed_expansion = 0;      ///< KL at sigma; sigma^2 / 2 Tr G
  double uniform = 0, uniform_expansion = 0;  ///< KL for sigma' ~ U(0, sigma); sigma^2 / 6 Tr G
};

struct ConsistencyCheck {
  std::vector<JsPoint> apart, same;  ///< views with base points of their own (z0, z1), and with one (z0 = z1)
  double apart_order = 0, same_order = 0;  ///< slopes of log remainder over log eps; 3 expected
  double trace = 0;                        ///< mean Tr G
  std::vector<KlPoint> kl;
  double fixed_order = 0, uniform_order = 0;  ///< slopes of log |KL - expansion| over log sigma; 4 expected
};

ConsistencyCheck check_consistency(const ConsistencyOptions& options,
                                   const std::function<void(int done, int total)>& progress = {});

std::string consistency_json(const ConsistencyOptions& options, const ConsistencyCheck& check);
/// Lines of both parts: part, level, exact, expansion, remainder.
std::string consistency_csv(const ConsistencyCheck& check);
/// Four panels: both divergences and both remainders, log-log.
std::string consistency_svg(const ConsistencyCheck& check);

}  // namespace noisymix

// How the loss of a trained model changes around its test examples (DiGN, figure 2).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "augment/image.h"
#include "data/dataset.h"
#include "models/registry.h"

namespace noisymix {

/// How the curvature is estimated from gradients g at x +- eta z, z a random direction of length 1 (register
/// D35).
enum class CurvatureForm {
  /// d mean |g(x + eta z) - g(x - eta z)|^2 / (2 eta)^2 with g of each image's own loss and d the number of
  /// its elements:
  /// an estimate of Tr(H^T H), H being the Hessian.
  hutchinson,
  /// mean |g(x + eta z) - g(x - eta z)|^2 / (2 eta) with g of the batch's mean loss, as published code has
  /// it; depends
  /// on the batch, and at its eta on rounding.
  code
};

/// 16 numbers from 0.01 to 10 with equal ratios.
std::vector<double> default_radii();

struct GeometryOptions {
  std::vector<double> radii = default_radii();  ///< in the unit range, over the whole image (L2)
  CurvatureForm curvature = CurvatureForm::hutchinson;
  int samples = 5;  ///< directions for the curvature
  double eta = 0;   ///< in the unit range; 0 means 1e-2, for the code's form 1e-6
  std::int64_t batch = 128;
  std::uint64_t seed = 0;
  int workers = 1;

  double used_eta() const { return eta > 0 ? eta : curvature == CurvatureForm::code ? 1e-6 : 1e-2; }
};

/// Means over the examples, delta being `radius` times a random direction of length 1, the same for every
/// radius.
struct GeometryPoint {
  double radius = 0;
  double loss_change = 0;  ///< |L(x + delta) - L(x)|
  double accuracy = 0;     ///< at x + delta, in [0, 1]
};

struct Geometry {
  std::string run, title, data;
  std::int64_t examples = 0;
  double loss = 0, accuracy = 0;  ///< at x
  double gradient_norm = 0;       ///< mean L2 norm of the gradient of an image's loss
  double curvature = 0;
  std::vector<GeometryPoint> points;

  double gradient_term(const GeometryPoint& p) const { return p.radius * gradient_norm; }
  double curvature_term(const GeometryPoint& p) const { return p.radius * p.radius / 2 * curvature; }
};

/// Runs the model in evaluation mode over the whole set; example i draws from its own key, so that batches of
/// any size give the same numbers up to rounding (but see CurvatureForm::code). Points are taken as they are,
/// in place of images in the unit range. Throws ConfigError for options out of range. Fills all but `run` and
/// `title`.
Geometry local_geometry(Model& model, std::shared_ptr<const Dataset> data, const Normalization& normalization,
                        const GeometryOptions& options,
                        const std::function<void(std::int64_t done, std::int64_t total)>& progress = {});

std::string geometry_json(const GeometryOptions& options, const std::vector<Geometry>& runs);
/// A line per run and radius.
std::string geometry_csv(const std::vector<Geometry>& runs);
/// Four panels over the radius: change of the loss, accuracy, and the two terms.
std::string geometry_svg(const std::vector<Geometry>& runs);

}  // namespace noisymix

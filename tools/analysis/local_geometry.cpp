#include "tools/analysis/local_geometry.h"

#include <cmath>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "augment/views.h"
#include "data/loader.h"
#include "engine/autograd.h"
#include "engine/cpu/parallel.h"
#include "engine/error.h"
#include "engine/ops/cross_entropy.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"
#include "tools/csv_field.h"
#include "tools/line_chart.h"

namespace noisymix {
namespace {

/// Directions of length 1 for examples first, first + 1, ..., on the CPU.
Tensor unit_directions(const Shape& shape, Key key, std::int64_t first) {
  Tensor z = Tensor::empty(shape);
  const std::int64_t n = shape[0], size = z.numel() / n;
  float* values = z.mutable_data<float>();
  cpu::parallel_for(n, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const Key own = key.child(first + i);
      double length = 0;
      for (std::int64_t e = 0; e < size; ++e) {
        const double value = own.normal(static_cast<std::uint64_t>(e));
        values[i * size + e] = static_cast<float>(value);
        length += value * value;
      }
      const float scale = static_cast<float>(1 / std::sqrt(length));
      for (std::int64_t e = 0; e < size; ++e) values[i * size + e] *= scale;
    }
  });
  return z;
}

/// What one unit of the unit range is to the model, by channel; 1 for points.
Tensor scale_of(const Tensor& x, const Normalization& normalization) {
  std::vector<float> scale;
  const std::int64_t channels = x.rank() == 4 ? x.dim(3) : 1;
  for (std::int64_t c = 0; c < channels; ++c)
    scale.push_back(x.rank() == 4 ? 1 / normalization.stddev[c] : 1.0f);
  return Tensor::from(scale, {channels}).to(x.device());
}

/// One batch on the model's device.
class Neighbourhood {
 public:
  Neighbourhood(Model& model, const Batch& batch, const Normalization& normalization)
      : model_(model),
        x_(batch.images.to(model.device())),
        labels_(batch.labels.to(model.device())),
        scale_(scale_of(x_, normalization)) {}

  std::int64_t size() const { return x_.dim(0); }
  std::int64_t elements() const { return x_.numel() / size(); }

  struct Predictions {
    std::vector<float> losses;
    std::int64_t correct = 0;
  };
  /// At x + direction * radius, in the unit range.
  Predictions at(const Tensor& direction, double radius) const {
    const NoGrad unrecorded;
    const Tensor logits = model_(moved(direction, radius), Context::evaluation());
    Predictions result;
    result.losses = cross_entropy(logits, labels_, 0, Reduction::none).to(Device{}).to_vector<float>();
    const auto predicted = argmax(logits, 1).to(Device{}).to_vector<std::int64_t>();
    const auto wanted = labels_.to(Device{}).to_vector<std::int64_t>();
    for (std::size_t i = 0; i < wanted.size(); ++i) result.correct += predicted[i] == wanted[i];
    return result;
  }
  /// Gradients of every image's own loss there, by the image in the unit range.
  Tensor gradients(const Tensor& direction, double radius) const {
    const auto total = [this](const Tensor& at) {
      return cross_entropy(model_(at, Context::evaluation()), labels_, 0, Reduction::sum);
    };
    return mul(input_gradient(total, moved(direction, radius)), scale_);
  }
  Tensor directions(Key key, std::int64_t first) const {
    return unit_directions(x_.shape(), key, first).to(x_.device());
  }

 private:
  Tensor moved(const Tensor& direction, double radius) const {
    return radius == 0 ? x_ : add(x_, mul(mul(direction, radius), scale_));
  }
  Model& model_;
  Tensor x_, labels_, scale_;
};

/// Squared length of every image.
std::vector<float> squared_lengths(const Tensor& x) {
  Axes axes;
  for (int axis = 1; axis < x.rank(); ++axis) axes.push_back(axis);
  return sum(square(x), axes).to(Device{}).to_vector<float>();
}

/// Sum over the batch of the images' curvature.
double curvature_sum(const Neighbourhood& near, const GeometryOptions& options, Key key, std::int64_t first) {
  const double eta = options.used_eta();
  double total = 0;
  for (int k = 0; k < options.samples; ++k) {
    const Tensor z = near.directions(key.child(k), first);
    for (const float square : squared_lengths(sub(near.gradients(z, eta), near.gradients(z, -eta))))
      total += static_cast<double>(square);
  }
  total /= options.samples;
  const double size = static_cast<double>(near.size());
  if (options.curvature == CurvatureForm::code) return total / (2 * eta) / (size * size);
  return total / (4 * eta * eta) * static_cast<double>(near.elements());
}

/// Adds one batch to the sums.
void add_batch(const Neighbourhood& near, const GeometryOptions& options, std::int64_t first,
               Geometry& sums) {
  const Key key = Key(options.seed).child("local geometry");
  const Tensor direction = near.directions(key.child("direction"), first);
  const auto clean = near.at(direction, 0);
  for (const float loss : clean.losses) sums.loss += static_cast<double>(loss);
  sums.accuracy += static_cast<double>(clean.correct);
  for (GeometryPoint& point : sums.points) {
    const auto there = near.at(direction, point.radius);
    for (std::size_t i = 0; i < clean.losses.size(); ++i)
      point.loss_change +=
          std::abs(static_cast<double>(there.losses[i]) - static_cast<double>(clean.losses[i]));
    point.accuracy += static_cast<double>(there.correct);
  }
  for (const float square : squared_lengths(near.gradients(direction, 0)))
    sums.gradient_norm += std::sqrt(static_cast<double>(square));
  sums.curvature += curvature_sum(near, options, key.child("curvature"), first);
}

void check_options(const GeometryOptions& options) {
  NM_CHECK_AS(ConfigError, !options.radii.empty(), "[geometry] expects at least one radius");
  for (const double radius : options.radii)
    NM_CHECK_AS(ConfigError, radius > 0 && std::isfinite(radius), "[geometry] radii must be positive, got ",
                radius);
  NM_CHECK_AS(ConfigError, options.samples >= 1 && options.batch >= 1 && options.eta >= 0,
              "[geometry] samples and batch must be at least 1, eta not negative");
}

}  // namespace

std::vector<double> default_radii() {
  std::vector<double> radii;
  for (int i = 0; i < 16; ++i) radii.push_back(0.01 * std::pow(10, i / 5.0));
  return radii;
}

Geometry local_geometry(Model& model, std::shared_ptr<const Dataset> data, const Normalization& normalization,
                        const GeometryOptions& options,
                        const std::function<void(std::int64_t done, std::int64_t total)>& progress) {
  check_options(options);
  Geometry result;
  result.data = data->description();
  for (const double radius : options.radii) result.points.push_back({.radius = radius});
  LoaderOptions loading;
  loading.batch = options.batch;
  loading.shuffle = false;
  loading.workers = options.workers;
  DataLoader loader(data, make_plain_views(normalization), loading, Key(options.seed));
  loader.start_epoch(0);
  for (Batch batch; loader.next(batch);) {
    const NoGrad unrecorded;
    add_batch(Neighbourhood(model, batch, normalization), options, result.examples, result);
    result.examples += batch.size();
    if (progress) progress(result.examples, data->size());
  }
  NM_CHECK_AS(DataError, result.examples > 0, data->description(), ": no examples");
  const double n = static_cast<double>(result.examples);
  for (double* value : {&result.loss, &result.accuracy, &result.gradient_norm, &result.curvature})
    *value /= n;
  for (GeometryPoint& point : result.points) {
    point.loss_change /= n;
    point.accuracy /= n;
  }
  return result;
}

std::string geometry_json(const GeometryOptions& options, const std::vector<Geometry>& runs) {
  nlohmann::ordered_json json{
      {"analysis", "geometry"},
      {"curvature_form", options.curvature == CurvatureForm::code ? "code" : "hutchinson"},
      {"samples", options.samples},
      {"eta", options.used_eta()},
      {"batch", options.batch},
      {"seed", options.seed}};
  json["runs"] = nlohmann::ordered_json::array();
  for (const Geometry& run : runs) {
    nlohmann::ordered_json entry{{"run", run.run},
                                 {"title", run.title},
                                 {"data", run.data},
                                 {"examples", run.examples},
                                 {"loss", run.loss},
                                 {"accuracy", run.accuracy},
                                 {"gradient_norm", run.gradient_norm},
                                 {"curvature", run.curvature}};
    for (const GeometryPoint& point : run.points)
      entry["radii"].push_back({{"radius", point.radius},
                                {"loss_change", point.loss_change},
                                {"accuracy", point.accuracy},
                                {"gradient_term", run.gradient_term(point)},
                                {"curvature_term", run.curvature_term(point)}});
    json["runs"].push_back(entry);
  }
  return json.dump(1) + "\n";
}

std::string geometry_csv(const std::vector<Geometry>& runs) {
  std::string out = "run,radius,loss_change,accuracy,gradient_term,curvature_term\n";
  for (const Geometry& run : runs) {
    const std::string name = csv_field(run.run);
    for (const GeometryPoint& point : run.points) {
      char line[160];
      std::snprintf(line, sizeof line, ",%.6g,%.9g,%.9g,%.9g,%.9g\n", point.radius, point.loss_change,
                    point.accuracy, run.gradient_term(point), run.curvature_term(point));
      out += name + line;
    }
  }
  return out;
}

std::string geometry_svg(const std::vector<Geometry>& runs) {
  const auto chart = [&runs](const char* title, bool log_y, auto value) {
    Chart result{.title = title, .x_name = "radius", .log_x = true, .log_y = log_y, .lines = {}};
    for (std::size_t i = 0; i < runs.size(); ++i) {
      ChartLine line{.name = runs[i].title, .points = {}, .color = i};
      for (const GeometryPoint& point : runs[i].points)
        line.points.push_back({point.radius, value(runs[i], point)});
      result.lines.push_back(std::move(line));
    }
    return result;
  };
  return draw_charts(
      {chart("Mean change of the loss", true,
             [](const Geometry&, const GeometryPoint& p) { return p.loss_change; }),
       chart("Accuracy, %", false, [](const Geometry&, const GeometryPoint& p) { return 100 * p.accuracy; }),
       chart("radius x |gradient|", true,
             [](const Geometry& g, const GeometryPoint& p) { return g.gradient_term(p); }),
       chart("radius\u00b2 / 2 x curvature", true,
             [](const Geometry& g, const GeometryPoint& p) { return g.curvature_term(p); })},
      2);
}

}  // namespace noisymix

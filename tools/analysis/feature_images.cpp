#include "tools/analysis/feature_images.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "engine/autograd.h"
#include "engine/cpu/parallel.h"
#include "engine/error.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"
#include "tools/csv_field.h"

namespace noisymix {
namespace {

/// A model whose head gives out features instead of logits, as long as this lives.
class FeatureReader {
 public:
  explicit FeatureReader(const LoadedRun& run) : model_(*run.model) {
    const std::string head = model_.head();
    NM_CHECK_AS(ConfigError, !head.empty(), run.weights.string(), ": the model ", run.card.architecture,
                " has no single layer between features and logits, so its features cannot be shown");
    for (auto& [name, tensor] : model_.state()) {
      if (name == head + ".weight") weight_ = tensor;
      if (name == head + ".bias") bias_ = tensor;
    }
    NM_CHECK_AS(ConfigError, weight_.defined() && weight_.rank() == 2, run.weights.string(), ": the head \"",
                head, "\" of ", run.card.architecture, " is no linear layer");
    const NoGrad unrecorded;
    kept_weight_ = weight_.detach().clone();
    if (bias_.defined()) kept_bias_ = bias_.detach().clone();
  }
  ~FeatureReader() {
    const NoGrad unrecorded;
    weight_.copy_from(kept_weight_);
    if (bias_.defined()) bias_.copy_from(kept_bias_);
  }
  FeatureReader(const FeatureReader&) = delete;
  FeatureReader& operator=(const FeatureReader&) = delete;

  std::int64_t features() const { return weight_.dim(1); }
  /// Units that can be read at once.
  std::int64_t outputs() const { return weight_.dim(0); }

  /// Output i becomes unit units[i].
  void read(const std::vector<std::int64_t>& units) {
    std::vector<float> rows(static_cast<std::size_t>(weight_.numel()), 0.0f);
    for (std::size_t i = 0; i < units.size(); ++i)
      rows[i * static_cast<std::size_t>(features()) + static_cast<std::size_t>(units[i])] = 1;
    const NoGrad unrecorded;
    weight_.copy_from(Tensor::from(rows, weight_.shape()).to(weight_.device()));
    if (bias_.defined()) bias_.copy_from(Tensor::zeros(bias_.shape()).to(bias_.device()));
  }
  /// Gradient of the sum over i of output i of image i, and those outputs.
  Tensor gradient(const Tensor& x, std::vector<float>& values) const {
    const std::int64_t n = x.dim(0);
    std::vector<float> diagonal(static_cast<std::size_t>(n * outputs()), 0.0f);
    for (std::int64_t i = 0; i < n; ++i) diagonal[static_cast<std::size_t>(i * outputs() + i)] = 1;
    const Tensor mask = Tensor::from(diagonal, {n, outputs()}).to(x.device());
    return input_gradient(
        [&](const Tensor& at) {
          const Tensor picked = mul(model_(at, Context::evaluation()), mask);
          values = sum(picked.detach(), {1}).to(Device{}).to_vector<float>();
          return sum(picked);
        },
        x);
  }

 private:
  Model& model_;
  Tensor weight_, bias_, kept_weight_, kept_bias_;
};

/// Images in the unit range [n, h, w, c] on the CPU, and their ascent.
class Ascent {
 public:
  Ascent(const Shape& shape, const Normalization& normalization, const FeatureImageOptions& options,
         std::int64_t first)
      : shape_(shape),
        size_(static_cast<std::size_t>(shape.numel() / shape[0])),
        normalization_(normalization),
        step_(options.step * (options.scale == PixelScale::byte ? 1.0 / 255 : 1.0)),
        radius_(options.radius * (options.scale == PixelScale::byte ? 1.0 / 255 : 1.0)),
        start_(static_cast<std::size_t>(shape.numel())) {
    const Key key = Key(options.seed).child("feature images").child("start");
    for (std::int64_t i = 0; i < shape[0]; ++i) {
      const Key own = key.child(first + i);
      for (std::size_t e = 0; e < size_; ++e)
        start_[static_cast<std::size_t>(i) * size_ + e] = static_cast<float>(own.uniform(e));
    }
    x_ = start_;
  }

  Tensor normalized(Device device) const {
    std::vector<float> values(x_.size());
    for (std::size_t i = 0; i < x_.size(); ++i) {
      const std::size_t c = i % channels();
      values[i] = (x_[i] - normalization_.mean[c]) / normalization_.stddev[c];
    }
    return Tensor::from(values, shape_).to(device);
  }

  /// One step of every image along its gradient by the normalised pixels.
  void step(const Tensor& gradients) {
    const std::vector<float> g = gradients.to(Device{}).to_vector<float>();
    cpu::parallel_for(shape_[0], 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) step_image(static_cast<std::size_t>(i) * size_, g);
    });
  }

  Image image(std::int64_t index) const {
    Image result(static_cast<int>(shape_[1]), static_cast<int>(shape_[2]), static_cast<int>(shape_[3]));
    for (std::size_t e = 0; e < size_; ++e)
      result.pixels[e] = static_cast<std::uint8_t>(
          std::lround(255 * std::clamp(x_[static_cast<std::size_t>(index) * size_ + e], 0.0f, 1.0f)));
    return result;
  }

 private:
  std::size_t channels() const { return static_cast<std::size_t>(shape_[3]); }

  void step_image(std::size_t at, const std::vector<float>& g) {
    // By pixels of the unit range: the chain rule divides by the deviations.
    const auto slope = [&](std::size_t e) {
      return static_cast<double>(g[at + e]) / static_cast<double>(normalization_.stddev[e % channels()]);
    };
    double square = 0, distance = 0;
    for (std::size_t e = 0; e < size_; ++e) square += slope(e) * slope(e);
    if (!(square > 0) || !std::isfinite(square)) return;
    const double scale = step_ / std::sqrt(square);
    std::vector<double> away(size_);  // from the start
    for (std::size_t e = 0; e < size_; ++e) {
      away[e] = static_cast<double>(x_[at + e]) + scale * slope(e) - static_cast<double>(start_[at + e]);
      distance += away[e] * away[e];
    }
    const double shrink = std::min(1.0, radius_ / std::sqrt(distance));
    for (std::size_t e = 0; e < size_; ++e)
      x_[at + e] =
          static_cast<float>(std::clamp(static_cast<double>(start_[at + e]) + shrink * away[e], 0.0, 1.0));
  }

  Shape shape_;
  std::size_t size_;
  Normalization normalization_;
  double step_, radius_;
  std::vector<float> start_, x_;
};

void check_options(const LoadedRun& run, const FeatureImageOptions& options) {
  NM_CHECK_AS(ConfigError, run.card.sample_shape.size() == 3, run.weights.string(),
              ": takes no images; features are shown of models that do");
  NM_CHECK_AS(ConfigError,
              options.units >= 1 && options.steps >= 0 && options.step > 0 && options.radius > 0 &&
                  options.batch >= 1,
              "[features] expects at least one unit, and a positive step and radius");
}

}  // namespace

FeatureImages feature_images(LoadedRun& run, const FeatureImageOptions& options,
                             const std::function<void(int done, int total)>& progress) {
  check_options(run, options);
  FeatureReader reader(run);
  FeatureImages result;
  result.features = reader.features();
  NM_CHECK_AS(ConfigError, options.units <= result.features, run.weights.string(), ": ", options.units,
              " units asked for, the model has ", result.features);
  const auto order = permutation(Key(options.seed).child("feature images").child("units"), result.features);
  const std::int64_t chunk = std::min(options.batch, reader.outputs());
  const auto& sample = run.card.sample_shape;
  for (std::int64_t first = 0; first < options.units; first += chunk) {
    const std::int64_t n = std::min<std::int64_t>(chunk, options.units - first);
    const std::vector<std::int64_t> units(order.begin() + first, order.begin() + first + n);
    reader.read(units);
    Ascent ascent({n, sample[0], sample[1], sample[2]}, run.normalization, options, first);
    std::vector<float> values, at_start;
    for (int step = 0; step <= options.steps; ++step) {
      const Tensor gradients = reader.gradient(ascent.normalized(run.model->device()), values);
      if (step == 0) at_start = values;
      if (step < options.steps) ascent.step(gradients);
      if (progress)
        progress(static_cast<int>(first) * options.steps + static_cast<int>(n) * step,
                 options.units * options.steps);
    }
    for (std::size_t i = 0; i < units.size(); ++i)
      result.units.push_back({units[i], ascent.image(static_cast<std::int64_t>(i)),
                              static_cast<double>(at_start[i]), static_cast<double>(values[i])});
  }
  return result;
}

Image feature_grid(const std::vector<FeatureImages>& runs) {
  NM_CHECK(!runs.empty() && !runs.front().units.empty(), "[feature_grid] expects runs with units");
  constexpr int kGap = 4, kShown = 96;  // pixels between images, and the least side of one
  int width = 0, height = kGap;
  std::vector<int> factors;
  for (const FeatureImages& run : runs) {
    const Image& one = run.units.front().image;
    factors.push_back(std::max(1, (kShown + one.height - 1) / std::max(one.height, 1)));
    width = std::max(width, kGap + static_cast<int>(run.units.size()) * (one.width * factors.back() + kGap));
    height += one.height * factors.back() + kGap;
  }
  Image grid(height, width, 3);
  std::fill(grid.pixels.begin(), grid.pixels.end(), std::uint8_t{255});
  int top = kGap;
  for (std::size_t r = 0; r < runs.size(); ++r) {
    int left = kGap;
    const int factor = factors[r];
    for (const FeatureImage& unit : runs[r].units) {
      const Image& image = unit.image;
      for (int y = 0; y < image.height * factor; ++y) {
        for (int x = 0; x < image.width * factor; ++x) {
          const std::uint8_t* from = image.row(y / factor) + image.channels * (x / factor);
          for (int c = 0; c < 3; ++c)
            grid.row(top + y)[3 * (left + x) + c] = from[image.channels == 3 ? c : 0];
        }
      }
      left += image.width * factor + kGap;
    }
    top += runs[r].units.front().image.height * factor + kGap;
  }
  return grid;
}

std::string feature_images_json(const FeatureImageOptions& options, const std::vector<FeatureImages>& runs) {
  nlohmann::ordered_json json{{"analysis", "features"},
                              {"steps", options.steps},
                              {"step", options.step},
                              {"radius", options.radius},
                              {"scale", options.scale == PixelScale::unit ? "unit" : "byte"},
                              {"seed", options.seed}};
  for (const FeatureImages& run : runs) {
    nlohmann::ordered_json entry{{"run", run.run}, {"title", run.title}, {"features", run.features}};
    for (const FeatureImage& unit : run.units)
      entry["units"].push_back({{"unit", unit.unit}, {"start", unit.start}, {"finish", unit.finish}});
    json["runs"].push_back(entry);
  }
  return json.dump(1) + "\n";
}

std::string feature_images_csv(const std::vector<FeatureImages>& runs) {
  std::string out = "run,title,unit,start,finish\n";
  for (const FeatureImages& run : runs) {
    for (const FeatureImage& unit : run.units) {
      char line[96];
      std::snprintf(line, sizeof line, ",%lld,%.9g,%.9g\n", static_cast<long long>(unit.unit), unit.start,
                    unit.finish);
      out += csv_field(run.run) + "," + csv_field(run.title) + line;
    }
  }
  return out;
}

}  // namespace noisymix

// The study: both expansions over a range of levels, and its files.
#include <cmath>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "engine/error.h"
#include "models/toy_mlp.h"
#include "tools/analysis/consistency_expansion.h"
#include "tools/line_chart.h"

namespace noisymix {
namespace {

/// 1e-3, 10^-2.75, ..., 1: below, the remainder of the smallest order drowns in rounding.
std::vector<double> levels() {
  std::vector<double> result;
  for (int i = 0; i <= 12; ++i) result.push_back(std::pow(10, -3 + i / 4.0));
  return result;
}

std::vector<double> normals(Key key, int count) {
  std::vector<double> values;
  for (int i = 0; i < count; ++i) values.push_back(key.normal(static_cast<std::uint64_t>(i)));
  return values;
}

std::vector<double> along(const std::vector<double>& z, double eps, const std::vector<double>& d) {
  std::vector<double> moved;
  for (std::size_t k = 0; k < z.size(); ++k) moved.push_back(z[k] + eps * d[k]);
  return moved;
}

std::vector<JsPoint> sweep_views(const ConsistencyOptions& options, bool apart, Key key) {
  std::vector<JsPoint> points;
  for (const double eps : levels()) points.push_back({.eps = eps});
  for (int i = 0; i < options.pairs; ++i) {
    const Key own = key.child(i);
    const auto z0 = normals(own.child("z0"), options.classes);
    const auto z1 = apart ? normals(own.child("z1"), options.classes) : z0;
    const auto d0 = normals(own.child("d0"), options.classes), d1 = normals(own.child("d1"), options.classes);
    const JsExpansion expansion = expand_jensen_shannon(z0, z1, d0, d1);
    for (JsPoint& point : points) {
      const double exact = jensen_shannon_of(along(z0, point.eps, d0), along(z1, point.eps, d1));
      const double expected = expansion.at(point.eps);
      point.exact += exact / options.pairs;
      point.expansion += expected / options.pairs;
      point.remainder += std::abs(exact - expected) / options.pairs;
    }
  }
  return points;
}

/// Least-squares slope of log y over log x, where x is at most 0.1 (the expansion is about small numbers).
template <class Point, class X, class Y>
double order_of(const std::vector<Point>& points, X x_of, Y y_of) {
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (const Point& point : points) {
    if (x_of(point) > 0.1000001 || y_of(point) <= 0) continue;
    const double a = std::log(x_of(point)), b = std::log(y_of(point));
    n += 1;
    x += a;
    y += b;
    xx += a * a;
    xy += a * b;
  }
  return n < 2 ? 0 : (n * xy - x * y) / (n * xx - x * x);
}

double remainder(const KlPoint& point, bool uniform) {
  return uniform ? std::abs(point.uniform - point.uniform_expansion)
                 : std::abs(point.fixed - point.fixed_expansion);
}

void sweep_noise(const ConsistencyOptions& options, Key key, ConsistencyCheck& check,
                 const std::function<void(int, int)>& progress) {
  ToyMlp model({.inputs = options.inputs,
                .classes = options.classes,
                .units = options.units,
                .mix_layers = 0,
                .activation = ActivationKind::gelu});
  model.initialize(key.child("weights"));
  model.to(Dtype::f64);
  const auto values = normals(key.child("points"), static_cast<int>(options.points * options.inputs));
  const Tensor x = Tensor::from(values, {options.points, options.inputs});
  const auto noise = matched_normals(options.draws, options.inputs, key.child("noise"));
  for (const double trace : fisher_traces(model, x))
    check.trace += trace / static_cast<double>(options.points);
  const std::vector<double> sigmas = levels();
  for (const double sigma : sigmas) {
    const double square = sigma * sigma;
    check.kl.push_back({.sigma = sigma,
                        .fixed = noisy_divergence(model, x, sigma, noise),
                        .fixed_expansion = square / 2 * check.trace,
                        .uniform = noisy_divergence_uniform(model, x, sigma, noise),
                        .uniform_expansion = square / 6 * check.trace});
    if (progress) progress(static_cast<int>(check.kl.size()), static_cast<int>(sigmas.size()));
  }
}

nlohmann::ordered_json json_of(const std::vector<JsPoint>& points, double order) {
  nlohmann::ordered_json json{{"order_of_remainder", order}};
  for (const JsPoint& point : points)
    json["points"].push_back({{"eps", point.eps},
                              {"exact", point.exact},
                              {"expansion", point.expansion},
                              {"remainder", point.remainder}});
  return json;
}

template <class Point, class X, class Y>
ChartLine line_of(const char* name, std::size_t color, bool dashed, const std::vector<Point>& points, X x_of,
                  Y y_of) {
  ChartLine line{.name = name, .points = {}, .color = color, .dashed = dashed};
  for (const Point& point : points) line.points.push_back({x_of(point), y_of(point)});
  return line;
}

std::string named_with_order(const char* name, double order) {
  char text[96];
  std::snprintf(text, sizeof text, "%s: slope %.2f", name, order);
  return text;
}

/// Through the middle of the first line, rising with a power: what the eye compares with.
ChartLine guide(const ChartLine& like, int power, std::size_t color) {
  ChartLine line{.name = "slope " + std::to_string(power), .points = {}, .color = color, .dashed = true};
  const auto& middle = like.points[like.points.size() / 2];
  for (const auto& point : like.points)
    line.points.push_back({point[0], 3 * middle[1] * std::pow(point[0] / middle[0], power)});
  return line;
}

}  // namespace

ConsistencyCheck check_consistency(const ConsistencyOptions& options,
                                   const std::function<void(int, int)>& progress) {
  NM_CHECK_AS(ConfigError,
              options.classes >= 2 && options.pairs >= 1 && options.points >= 1 && options.inputs >= 1 &&
                  options.units >= 1 && options.draws % 2 == 0 && options.draws >= 4 * options.inputs,
              "[jsd] expects at least two classes, one pair and one point, and an even number of draws, at "
              "least four per input");
  const Key key = Key(options.seed).child("consistency");
  ConsistencyCheck check;
  check.apart = sweep_views(options, true, key.child("views"));
  check.same = sweep_views(options, false, key.child("views"));
  sweep_noise(options, key.child("noise"), check, progress);
  const auto eps = [](const JsPoint& p) { return p.eps; };
  const auto rest = [](const JsPoint& p) { return p.remainder; };
  const auto sigma = [](const KlPoint& p) { return p.sigma; };
  check.apart_order = order_of(check.apart, eps, rest);
  check.same_order = order_of(check.same, eps, rest);
  check.fixed_order = order_of(check.kl, sigma, [](const KlPoint& p) { return remainder(p, false); });
  check.uniform_order = order_of(check.kl, sigma, [](const KlPoint& p) { return remainder(p, true); });
  return check;
}

std::string consistency_json(const ConsistencyOptions& options, const ConsistencyCheck& check) {
  nlohmann::ordered_json json{{"analysis", "jsd"},        {"classes", options.classes},
                              {"pairs", options.pairs},   {"points", options.points},
                              {"inputs", options.inputs}, {"units", options.units},
                              {"draws", options.draws},   {"seed", options.seed}};
  json["jensen_shannon"] = {{"own_base_points", json_of(check.apart, check.apart_order)},
                            {"one_base_point", json_of(check.same, check.same_order)}};
  nlohmann::ordered_json kl{{"fisher_trace", check.trace},
                            {"order_of_remainder_fixed", check.fixed_order},
                            {"order_of_remainder_uniform", check.uniform_order}};
  for (const KlPoint& point : check.kl)
    kl["points"].push_back({{"sigma", point.sigma},
                            {"fixed", point.fixed},
                            {"fixed_expansion", point.fixed_expansion},
                            {"uniform", point.uniform},
                            {"uniform_expansion", point.uniform_expansion}});
  json["kullback_leibler"] = kl;
  return json.dump(1) + "\n";
}

std::string consistency_csv(const ConsistencyCheck& check) {
  std::string out = "part,level,exact,expansion,remainder\n";
  const auto add = [&out](const char* part, double level, double exact, double expansion, double rest) {
    char line[160];
    std::snprintf(line, sizeof line, "%s,%.9g,%.9g,%.9g,%.9g\n", part, level, exact, expansion, rest);
    out += line;
  };
  for (const JsPoint& p : check.apart) add("js_own_base_points", p.eps, p.exact, p.expansion, p.remainder);
  for (const JsPoint& p : check.same) add("js_one_base_point", p.eps, p.exact, p.expansion, p.remainder);
  for (const KlPoint& p : check.kl) add("kl_fixed", p.sigma, p.fixed, p.fixed_expansion, remainder(p, false));
  for (const KlPoint& p : check.kl)
    add("kl_uniform", p.sigma, p.uniform, p.uniform_expansion, remainder(p, true));
  return out;
}

std::string consistency_svg(const ConsistencyCheck& check) {
  const auto eps = [](const JsPoint& p) { return p.eps; };
  const auto exact = [](const JsPoint& p) { return p.exact; };
  const auto expansion = [](const JsPoint& p) { return p.expansion; };
  const auto rest = [](const JsPoint& p) { return p.remainder; };
  const auto sigma = [](const KlPoint& p) { return p.sigma; };
  const auto log_log = [](const char* title, const char* x, std::vector<ChartLine> lines) {
    return Chart{.title = title, .x_name = x, .log_x = true, .log_y = true, .lines = std::move(lines)};
  };
  const std::string apart = named_with_order("JS, base points of their own", check.apart_order);
  const std::string same = named_with_order("JS, one base point", check.same_order);
  const std::string fixed = named_with_order("KL, noise of level \u03c3", check.fixed_order);
  const std::string uniform = named_with_order("KL, level uniform in (0, \u03c3)", check.uniform_order);
  const ChartLine apart_rest = line_of(apart.c_str(), 0, false, check.apart, eps, rest);
  const ChartLine fixed_rest =
      line_of(fixed.c_str(), 2, false, check.kl, sigma, [](const KlPoint& p) { return remainder(p, false); });
  return draw_charts(
      {log_log("Jensen-Shannon divergence of two views", "\u03b5",
               {line_of(apart.c_str(), 0, false, check.apart, eps, exact),
                line_of(same.c_str(), 1, false, check.same, eps, exact),
                line_of("second-order expansion", 7, true, check.apart, eps, expansion),
                line_of("second-order expansion", 7, true, check.same, eps, expansion)}),
       log_log("|JS - expansion|", "\u03b5",
               {apart_rest, line_of(same.c_str(), 1, false, check.same, eps, rest), guide(apart_rest, 3, 6)}),
       log_log(
           "KL of a point and its noisy copy", "\u03c3",
           {line_of(fixed.c_str(), 2, false, check.kl, sigma, [](const KlPoint& p) { return p.fixed; }),
            line_of(uniform.c_str(), 3, false, check.kl, sigma, [](const KlPoint& p) { return p.uniform; }),
            line_of("second-order expansion", 7, true, check.kl, sigma,
                    [](const KlPoint& p) { return p.fixed_expansion; }),
            line_of("second-order expansion", 7, true, check.kl, sigma,
                    [](const KlPoint& p) { return p.uniform_expansion; })}),
       log_log("|KL - expansion|", "\u03c3",
               {fixed_rest,
                line_of(uniform.c_str(), 3, false, check.kl, sigma,
                        [](const KlPoint& p) { return remainder(p, true); }),
                guide(fixed_rest, 4, 6)})},
      2);
}

}  // namespace noisymix

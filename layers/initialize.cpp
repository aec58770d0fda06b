#include "layers/initialize.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/ops/random.h"

namespace noisymix {

void fill_fan_in_uniform(Tensor& x, std::int64_t fan_in, Key key) {
  const double bound = 1 / std::sqrt(static_cast<double>(std::max<std::int64_t>(fan_in, 1)));
  x.copy_from(random_uniform(x.shape(), key, -bound, bound, x.dtype()).to(x.device()));
}

void fill_truncated_normal(Tensor& x, double stddev, double low, double high, Key key) {
  NM_CHECK(stddev > 0 && low < 0 && high > 0,
           "[initialize] a truncated normal needs a positive deviation and "
           "bounds around 0, got ",
           stddev, " in [", low, ", ", high, "]");
  const auto draw = [&](std::int64_t attempt) {
    return random_normal(x.shape(), key.child(attempt), 0, stddev, Dtype::f64).to_vector<double>();
  };
  std::vector<double> values = draw(0);
  const auto outside = [&](double v) { return v < low || v > high; };
  for (std::int64_t attempt = 1; std::any_of(values.begin(), values.end(), outside); ++attempt) {
    const std::vector<double> again = draw(attempt);
    for (std::size_t i = 0; i < values.size(); ++i)
      if (outside(values[i])) values[i] = again[i];
  }
  x.copy_from(Tensor::from(values, x.shape()).to(x.dtype()).to(x.device()));
}

void fill_weight(Tensor& weight, WeightInit kind, Key key) {
  const std::int64_t out = std::max<std::int64_t>(weight.dim(0), 1), fan_in = weight.numel() / out;
  const std::int64_t area = weight.rank() == 4 ? weight.dim(1) * weight.dim(2) : 1;
  const auto he = [&](std::int64_t fan) {
    const double stddev = std::sqrt(2 / static_cast<double>(std::max<std::int64_t>(fan, 1)));
    weight.copy_from(random_normal(weight.shape(), key, 0, stddev, weight.dtype()).to(weight.device()));
  };
  switch (kind) {
    case WeightInit::fan_in_uniform:
      return fill_fan_in_uniform(weight, fan_in, key);
    case WeightInit::he_fan_in:
      return he(fan_in);
    case WeightInit::he_fan_out:
      return he(out * area);
    case WeightInit::truncated_normal:
      return fill_truncated_normal(weight, 0.02, -2, 2, key);
  }
}

void fill_bias(Tensor& bias, std::int64_t fan_in, const InitialValues& values, Key key) {
  if (values.zero_bias)
    fill_constant(bias, 0);
  else
    fill_fan_in_uniform(bias, fan_in, key);
}

void fill_constant(Tensor& x, double value) {
  x.copy_from(Tensor::full(x.shape(), value, x.dtype(), x.device()));
}

}  // namespace noisymix

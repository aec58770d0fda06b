// bf16 convolutions on tiles against plain loops in f64 over the same rounded numbers, on every instruction
// set.
#include "engine/cpu/conv_bf16.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "engine/cpu/conv_reference.h"
#include "engine/cpu/cpu_features.h"
#include "engine/cpu/parallel.h"
#include "engine/ops/random.h"

using namespace noisymix;

namespace {


struct Settings {
  std::int64_t n, h, w, c, o, kh, kw, stride_h, stride_w, padding_h, padding_w, dilation_h, dilation_w,
      groups;
};

ConvShape shape_of(const Settings& s) {
  const std::int64_t ho = (s.h + 2 * s.padding_h - s.dilation_h * (s.kh - 1) - 1) / s.stride_h + 1,
                     wo = (s.w + 2 * s.padding_w - s.dilation_w * (s.kw - 1) - 1) / s.stride_w + 1;
  return {s.n, s.h,        s.w,        s.c,         s.o,         s.kh,         s.kw,         ho,
          wo,  s.stride_h, s.stride_w, s.padding_h, s.padding_w, s.dilation_h, s.dilation_w, s.groups};
}

Settings square(std::int64_t n, std::int64_t size, std::int64_t c, std::int64_t o, std::int64_t kernel,
                std::int64_t stride) {
  return {n, size, size, c, o, kernel, kernel, stride, stride, kernel / 2, kernel / 2, 1, 1, 1};
}

const std::vector<Settings>& all_settings() {
  static const std::vector<Settings> list = {
      // PreActResNet-18 and wide ResNets, some with fewer channels: both arrangements of tiles, both ranges.
      square(2, 32, 3, 64, 3, 1),
      square(1, 32, 64, 64, 3, 1),
      square(3, 32, 16, 32, 3, 1),
      square(2, 16, 128, 128, 3, 1),
      square(2, 32, 64, 128, 3, 2),
      square(2, 32, 64, 128, 1, 2),
      square(33, 8, 32, 144, 3, 1),
      square(5, 4, 160, 48, 3, 1),
      square(34, 8, 32, 64, 1, 2),
      square(40, 8, 32, 40, 3, 2),
      square(2, 16, 16, 160, 3, 1),
      square(1, 16, 32, 32, 1, 1),
      // Sizes that fill no block, paddings, dilations, groups, filters as large as the map.
      {0, 5, 5, 3, 4, 3, 3, 1, 1, 1, 1, 1, 1, 1},
      {1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1},
      {2, 7, 5, 17, 19, 3, 3, 1, 1, 1, 1, 1, 1, 1},
      {3, 9, 11, 33, 47, 3, 2, 2, 1, 1, 0, 1, 1, 1},
      {2, 10, 12, 2, 3, 5, 3, 1, 2, 2, 1, 1, 1, 1},
      {1, 8, 8, 3, 16, 4, 4, 4, 4, 0, 0, 1, 1, 1},
      {2, 11, 13, 4, 8, 3, 3, 2, 2, 2, 2, 2, 2, 2},
      {1, 12, 16, 16, 16, 3, 3, 1, 1, 2, 2, 2, 2, 1},
      {2, 6, 16, 4, 4, 3, 3, 1, 1, 1, 1, 1, 1, 4},
      {1, 9, 32, 32, 64, 3, 3, 1, 1, 1, 1, 1, 1, 2},
      {1, 5, 5, 2, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1},
      {1, 6, 14, 5, 6, 1, 1, 1, 1, 2, 1, 1, 1, 1},
      {1, 3, 40, 6, 10, 3, 3, 1, 1, 1, 1, 1, 3, 1},
      {2, 2, 2, 8, 8, 3, 3, 2, 2, 1, 1, 1, 1, 1},
      {1, 23, 31, 8, 24, 7, 7, 2, 2, 3, 3, 1, 1, 1},
      {1, 4, 4, 16, 48, 4, 4, 1, 1, 0, 0, 1, 1, 1},
      {2, 18, 18, 32, 20, 3, 3, 1, 1, 0, 0, 1, 1, 1},
      {1, 32, 32, 8, 8, 3, 3, 1, 2, 1, 1, 1, 1, 1}};
  return list;
}

struct Problem {
  ConvShape s;
  Tensor x, weight, bias, residual, dy;  // bf16, but weight and bias f32

  explicit Problem(const Settings& settings) : s(shape_of(settings)) {
    const auto noise = [](const Shape& shape, const char* name) {
      return random_normal(shape, Key(7).child(name));
    };
    x = noise({s.n, s.h, s.w, s.c}, "x").to(Dtype::bf16);
    weight = noise({s.o, s.kh, s.kw, s.group_c()}, "weight");
    bias = noise({s.o}, "bias");
    residual = noise({s.n, s.ho, s.wo, s.o}, "residual").to(Dtype::bf16);
    dy = noise({s.n, s.ho, s.wo, s.o}, "dy").to(Dtype::bf16);
  }
};

struct Results {
  Tensor y, dx, dweight, dbias;
};

Results tuned(const Problem& p) {
  const double missing = NAN;  // would show if a result were not written
  Results r{Tensor::full(p.dy.shape(), missing, Dtype::bf16), Tensor::full(p.x.shape(), missing, Dtype::bf16),
            Tensor::full(p.weight.shape(), missing), Tensor::full(p.bias.shape(), missing, Dtype::f64)};
  cpu::conv2d_bf16(p.s, p.x, p.weight, {.bias = p.bias, .residual = p.residual, .scale = {}, .shift = {}},
                   r.y);
  cpu::conv2d_input_grad_bf16(p.s, p.dy, p.weight, r.dx);
  cpu::conv2d_weight_grad_bf16(p.s, p.x.data<bfloat16>(), p.dy.data<bfloat16>(),
                               r.dweight.mutable_data<float>(), r.dbias.mutable_data<double>());
  return r;
}

Results reference(const Problem& p) {
  const auto wide = [](const Tensor& t) { return t.to(Dtype::f64); };
  const Tensor x = wide(p.x), weight = wide(p.weight.to(Dtype::bf16)), bias = wide(p.bias), dy = wide(p.dy);
  Results r{zeros_like(dy), zeros_like(x), zeros_like(weight), zeros_like(bias)};
  for (std::int64_t i = 0; i < dy.numel(); ++i)
    r.dbias.mutable_data<double>()[i % p.s.o] += dy.data<double>()[i];
  cpu::conv2d_reference(p.s, x.data<double>(), weight.data<double>(), bias.data<double>(),
                        r.y.mutable_data<double>());
  const Tensor residual = wide(p.residual);
  for (std::int64_t i = 0; i < r.y.numel(); ++i) r.y.mutable_data<double>()[i] += residual.data<double>()[i];
  cpu::conv2d_input_grad_reference(p.s, dy.data<double>(), weight.data<double>(),
                                   r.dx.mutable_data<double>());
  cpu::conv2d_weight_grad_reference(p.s, x.data<double>(), dy.data<double>(),
                                    r.dweight.mutable_data<double>());
  return r;
}

/// Largest gap, beyond what rounding each result to `digits` bits explains, relative to the largest result.
double excess(const Tensor& got, const Tensor& want, int digits) {
  const auto a = got.to(Dtype::f64).to_vector<double>(), b = want.to_vector<double>();
  double worst = 0, scale = 1e-3;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double gap = std::abs(a[i] - b[i]) - std::ldexp(std::abs(b[i]), -digits);
    worst = std::isfinite(a[i]) ? std::max(worst, gap) : INFINITY;
    scale = std::max(scale, std::abs(b[i]));
  }
  return worst / scale;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.bytes() == b.bytes() && (a.bytes() == 0 || std::memcmp(a.raw(), b.raw(), a.bytes()) == 0);
}

std::string describe(const ConvShape& c) {
  return "x [" + std::to_string(c.n) + "," + std::to_string(c.h) + "," + std::to_string(c.w) + "," +
         std::to_string(c.c) + "] o " + std::to_string(c.o) + " kernel " + std::to_string(c.kh) + "x" +
         std::to_string(c.kw) + " stride " + std::to_string(c.stride_h) + " groups " +
         std::to_string(c.groups);
}

struct RestoreIsa {
  cpu::Isa before = cpu::active_isa();
  ~RestoreIsa() { cpu::set_isa(before); }
};

}  // namespace

TEST_CASE("bf16 convolutions agree with plain loops on every instruction set") {
  const RestoreIsa restore;
  for (const Settings& settings : all_settings()) {
    const Problem problem(settings);
    const Results want = reference(problem);
    for (const cpu::Isa isa : cpu::usable_isas()) {
      CAPTURE(cpu::name_of(isa));
      CAPTURE(describe(problem.s));
      cpu::set_isa(isa);
      const Results got = tuned(problem);
      CHECK(excess(got.y, want.y, 8) < 1e-5);  // bf16 keeps 8 bits, rounded to nearest
      CHECK(excess(got.dx, want.dx, 8) < 1e-5);
      CHECK(excess(got.dweight, want.dweight, 24) < 1e-5);
      CHECK(excess(got.dbias, want.dbias, 24) < 1e-5);
    }
  }
}

TEST_CASE("bf16 weights give the same results as f32 weights that bf16 can hold") {
  Problem problem(square(3, 8, 40, 24, 3, 1));
  problem.weight = problem.weight.to(Dtype::bf16).to(Dtype::f32);
  const Results want = tuned(problem);
  problem.weight = problem.weight.to(Dtype::bf16);
  Tensor y = empty_like(want.y), dx = empty_like(want.dx), dweight = empty_like(problem.weight);
  cpu::conv2d_bf16(problem.s, problem.x, problem.weight,
                   {.bias = problem.bias, .residual = problem.residual, .scale = {}, .shift = {}}, y);
  cpu::conv2d_input_grad_bf16(problem.s, problem.dy, problem.weight, dx);
  cpu::conv2d_weight_grad_bf16(problem.s, problem.x.data<bfloat16>(), problem.dy.data<bfloat16>(),
                               dweight.mutable_data<bfloat16>());
  CHECK(same_bits(y, want.y));
  CHECK(same_bits(dx, want.dx));
  CHECK(same_bits(dweight, want.dweight.to(Dtype::bf16)));
}

TEST_CASE("bf16 convolutions give the same bits for any number of threads") {
  for (const Settings& settings :
       {square(9, 16, 32, 48, 3, 1), square(70, 8, 64, 160, 3, 2), square(5, 32, 3, 16, 3, 1)}) {
    const Problem problem(settings);
    cpu::set_threads(1);
    const Results one = tuned(problem);
    for (const int threads : {2, 4}) {
      cpu::set_threads(threads);
      const Results many = tuned(problem);
      CHECK(same_bits(one.y, many.y));
      CHECK(same_bits(one.dx, many.dx));
      CHECK(same_bits(one.dweight, many.dweight));
      CHECK(same_bits(one.dbias, many.dbias));
    }
  }
  cpu::set_threads(0);
}

TEST_CASE("a bf16 convolution does not read outside its input") {
  // NaN in front of and behind the maps would reach the results.
  for (const Settings& settings :
       {square(3, 16, 6, 8, 3, 1), square(3, 7, 6, 8, 3, 1), square(2, 16, 32, 8, 1, 1)}) {
    Problem problem(settings);
    const Results want = tuned(problem);
    const auto inside = [](const Tensor& x) {
      Tensor wide = Tensor::full({x.dim(0) + 2, x.dim(1), x.dim(2), x.dim(3)}, NAN, Dtype::bf16);
      std::memcpy(wide.rows(1, 1 + x.dim(0)).raw(), x.raw(), x.bytes());
      return wide.rows(1, 1 + x.dim(0));
    };
    problem.x = inside(problem.x);
    problem.dy = inside(problem.dy);
    const Results got = tuned(problem);
    CHECK(same_bits(got.y, want.y));
    CHECK(same_bits(got.dx, want.dx));
    CHECK(same_bits(got.dweight, want.dweight));
  }
}

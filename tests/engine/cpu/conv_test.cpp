// The tuned convolution kernels against plain loops, on every instruction set this processor has.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "engine/cpu/conv.h"
#include "engine/cpu/conv_method.h"
#include "engine/cpu/conv_reference.h"
#include "engine/cpu/cpu_features.h"
#include "engine/cpu/parallel.h"
#include "engine/key.h"

using namespace noisymix;

namespace {

using Values = std::vector<float>;

struct Settings {
  std::int64_t n, h, w, c, o, kh, kw, stride_h, stride_w, padding_h, padding_w, dilation_h, dilation_w,
      groups;
};

ConvShape shape_of(const Settings& s) {
  const auto size = [](std::int64_t in, std::int64_t taps, std::int64_t stride, std::int64_t padding,
                       std::int64_t dilation) {
    return (in + 2 * padding - dilation * (taps - 1) - 1) / stride + 1;
  };
  return {s.n,
          s.h,
          s.w,
          s.c,
          s.o,
          s.kh,
          s.kw,
          size(s.h, s.kh, s.stride_h, s.padding_h, s.dilation_h),
          size(s.w, s.kw, s.stride_w, s.padding_w, s.dilation_w),
          s.stride_h,
          s.stride_w,
          s.padding_h,
          s.padding_w,
          s.dilation_h,
          s.dilation_w,
          s.groups};
}

Settings square(std::int64_t n, std::int64_t size, std::int64_t c, std::int64_t o, std::int64_t kernel,
                std::int64_t stride) {
  return {n, size, size, c, o, kernel, kernel, stride, stride, kernel / 2, kernel / 2, 1, 1, 1};
}

/// Every convolution of PreActResNet-18 (whole and a quarter wide) and of wide ResNets, then shapes that fit
/// no block.
std::vector<Settings> all_settings() {
  std::vector<Settings> list;
  for (const std::int64_t a : {64, 16}) {
    list.push_back(square(1, 32, 3, a, 3, 1));
    list.push_back(square(1, 32, a, a, 3, 1));
    for (int stage = 1; stage < 4; ++stage) {
      const std::int64_t c = a << (stage - 1), size = 64 >> stage, n = stage;
      list.push_back(square(n, size, c, 2 * c, 3, 2));
      list.push_back(square(n, size, c, 2 * c, 1, 2));
      list.push_back(square(n, size / 2, 2 * c, 2 * c, 3, 1));
    }
  }
  list.push_back(square(1, 32, 16, 32, 3, 1));  // wide ResNets: 16 -> 32 -> 64 -> 128 channels, and 16 -> 160
  list.push_back(square(1, 32, 16, 32, 1, 1));
  list.push_back(square(1, 16, 16, 160, 3, 1));
  const Settings odd[] = {
      {0, 5, 5, 3, 4, 3, 3, 1, 1, 1, 1, 1, 1, 1},    {1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1},
      {2, 7, 5, 17, 19, 3, 3, 1, 1, 1, 1, 1, 1, 1},  {3, 9, 11, 33, 47, 3, 2, 2, 1, 1, 0, 1, 1, 1},
      {2, 10, 12, 2, 3, 5, 3, 1, 2, 2, 1, 1, 1, 1},  {1, 8, 8, 3, 16, 4, 4, 4, 4, 0, 0, 1, 1, 1},
      {2, 11, 13, 4, 8, 3, 3, 2, 2, 2, 2, 2, 2, 2},  {1, 12, 9, 16, 16, 3, 3, 1, 1, 2, 2, 2, 2, 1},
      {2, 6, 6, 4, 4, 3, 3, 3, 3, 1, 1, 1, 1, 4},    {1, 9, 7, 32, 64, 3, 3, 1, 1, 1, 1, 1, 1, 2},
      {1, 5, 5, 2, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1},    {1, 6, 6, 5, 6, 1, 1, 1, 1, 2, 3, 1, 1, 1},
      {1, 3, 40, 6, 10, 3, 3, 1, 1, 1, 1, 1, 3, 1},  {2, 2, 2, 8, 8, 3, 3, 2, 2, 1, 1, 1, 1, 1},
      {1, 23, 31, 8, 24, 7, 7, 2, 2, 3, 3, 1, 1, 1}, {1, 4, 4, 16, 48, 4, 4, 1, 1, 0, 0, 1, 1, 1}};
  list.insert(list.end(), std::begin(odd), std::end(odd));
  return list;
}

Values noise(std::int64_t count, std::int64_t stream) {
  Values values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(Key(stream).uniform(i) * 2 - 1);
  return values;
}

/// x, weight, bias and dy of one convolution, and the results of some implementation of it.
struct Problem {
  ConvShape shape;
  Values x, weight, bias, dy;

  explicit Problem(const Settings& settings)
      : shape(shape_of(settings)),
        x(noise(shape.n * shape.h * shape.w * shape.c, 1)),
        weight(noise(shape.o * shape.depth(), 2)),
        bias(noise(shape.o, 3)),
        dy(noise(shape.n * shape.ho * shape.wo * shape.o, 4)) {}
};

struct Results {
  Values y, dx, dweight;
  explicit Results(const Problem& p)
      : y(p.dy.size(), NAN), dx(p.x.size(), NAN), dweight(p.weight.size(), NAN) {}
};

Results tuned(const Problem& p) {
  Results r(p);
  cpu::conv2d_f32(p.shape, p.x.data(), p.weight.data(), p.bias.data(), r.y.data());
  cpu::conv2d_input_grad_f32(p.shape, p.dy.data(), p.weight.data(), r.dx.data());
  cpu::conv2d_weight_grad_f32(p.shape, p.x.data(), p.dy.data(), r.dweight.data());
  return r;
}

Results reference(const Problem& p) {
  using Wide = std::vector<double>;
  const auto widen = [](const Values& v) { return Wide(v.begin(), v.end()); };
  const Wide x = widen(p.x), weight = widen(p.weight), bias = widen(p.bias), dy = widen(p.dy);
  Wide y(dy.size()), dx(x.size()), dweight(weight.size());
  cpu::conv2d_reference(p.shape, x.data(), weight.data(), bias.data(), y.data());
  cpu::conv2d_input_grad_reference(p.shape, dy.data(), weight.data(), dx.data());
  cpu::conv2d_weight_grad_reference(p.shape, x.data(), dy.data(), dweight.data());
  Results r(p);
  r.y.assign(y.begin(), y.end());
  r.dx.assign(dx.begin(), dx.end());
  r.dweight.assign(dweight.begin(), dweight.end());
  return r;
}

double relative_error(const Values& got, const Values& want) {
  double worst = 0, scale = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double gap = std::abs(static_cast<double>(got[i]) - static_cast<double>(want[i]));
    worst = std::isfinite(gap) ? std::max(worst, gap) : INFINITY;
    scale = std::max(scale, static_cast<double>(std::abs(want[i])));
  }
  return worst / (scale + 0.001);
}

/// Sets the method of f32 convolutions for a scope.
class MethodScope {
 public:
  explicit MethodScope(cpu::ConvMethod method) : before_(cpu::conv_method()) { cpu::set_conv_method(method); }
  ~MethodScope() { cpu::set_conv_method(before_); }
  MethodScope(const MethodScope&) = delete;
  MethodScope& operator=(const MethodScope&) = delete;

 private:
  cpu::ConvMethod before_;
};

Results computed_by(cpu::ConvMethod method, const Problem& problem) {
  const MethodScope scope(method);
  return tuned(problem);
}

/// The 3x3 layers of stride 1 of PreActResNet-18, WRN-28-2 and WRN-28-4, then maps and channels that fit no
/// tile, block or vector, with paddings 0 to 3.
std::vector<Settings> winograd_settings() {
  std::vector<Settings> list;
  for (const std::int64_t width : {64, 32})
    for (std::int64_t stage = 0; stage < 4; ++stage)
      list.push_back(square(1 + stage, 32 >> stage, width << stage, width << stage, 3, 1));
  const std::pair<std::int64_t, std::int64_t> channels[] = {
      {16, 17}, {17, 24}, {24, 100}, {100, 64}, {64, 16}};
  const std::pair<std::int64_t, std::int64_t> maps[] = {{1, 1}, {2, 3}, {5, 7}, {33, 31}};
  for (const auto& [h, w] : maps)
    for (const auto& [c, o] : channels)
      for (const std::int64_t padding : {0, 1, 2})
        if (std::min(h, w) + 2 * padding >= 3)
          list.push_back({2, h, w, c, o, 3, 3, 1, 1, padding, padding, 1, 1, 1});
  list.push_back({2, 6, 5, 3, 2, 3, 3, 1, 1, 3, 1, 1, 1, 1});
  list.push_back({0, 6, 5, 16, 16, 3, 3, 1, 1, 1, 1, 1, 1, 1});
  list.push_back({1, 3, 4, 700, 36, 3, 3, 1, 1, 1, 0, 1, 1, 1});
  return list;
}

bool same_bits(const Values& a, const Values& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

std::string describe(const Settings& s) {
  const ConvShape c = shape_of(s);
  return "x [" + std::to_string(c.n) + "," + std::to_string(c.h) + "," + std::to_string(c.w) + "," +
         std::to_string(c.c) + "] o " + std::to_string(c.o) + " kernel " + std::to_string(c.kh) + "x" +
         std::to_string(c.kw) + " stride " + std::to_string(c.stride_h) + " groups " +
         std::to_string(c.groups);
}

/// NaN around the arrays would reach the results.
void check_reads_inside(const Settings& settings) {
  Problem problem(settings);
  const Results want = tuned(problem);
  const auto surround = [](Values& v) {
    v.insert(v.begin(), 64, NAN);
    v.insert(v.end(), 64, NAN);
  };
  surround(problem.x);
  surround(problem.dy);
  Results got(problem);
  got.y.resize(want.y.size()), got.dx.resize(want.dx.size());
  cpu::conv2d_f32(problem.shape, problem.x.data() + 64, problem.weight.data(), problem.bias.data(),
                  got.y.data());
  cpu::conv2d_input_grad_f32(problem.shape, problem.dy.data() + 64, problem.weight.data(), got.dx.data());
  cpu::conv2d_weight_grad_f32(problem.shape, problem.x.data() + 64, problem.dy.data() + 64,
                              got.dweight.data());
  CHECK(relative_error(got.y, want.y) == 0);
  CHECK(relative_error(got.dx, want.dx) == 0);
  CHECK(relative_error(got.dweight, want.dweight) == 0);
}

}  // namespace

TEST_CASE("convolution kernels agree with plain loops on every instruction set") {
  const cpu::Isa before = cpu::active_isa();
  for (const Settings& settings : all_settings()) {
    const Problem problem(settings);
    const Results want = reference(problem);
    for (const cpu::Isa isa : cpu::usable_isas()) {
      CAPTURE(cpu::name_of(isa));
      CAPTURE(describe(settings));
      cpu::set_isa(isa);
      const Results got = tuned(problem);
      CHECK(relative_error(got.y, want.y) < 2e-6);
      CHECK(relative_error(got.dx, want.dx) < 2e-6);
      CHECK(relative_error(got.dweight, want.dweight) < 2e-6);
    }
  }
  cpu::set_isa(before);
}

TEST_CASE("convolution kernels give the same bits for any number of threads") {
  for (const Settings& settings :
       {square(9, 16, 32, 48, 3, 1), square(20, 8, 64, 64, 3, 2), square(5, 32, 3, 16, 3, 1)}) {
    const Problem problem(settings);
    cpu::set_threads(1);
    const Results one = tuned(problem);
    for (const int threads : {2, 4}) {
      cpu::set_threads(threads);
      const Results many = tuned(problem);
      CHECK(same_bits(one.y, many.y));
      CHECK(same_bits(one.dx, many.dx));
      CHECK(same_bits(one.dweight, many.dweight));
    }
  }
  cpu::set_threads(0);
}

TEST_CASE("a convolution does not read outside its input") {
  // The second convolution is one of Winograd's algorithm.
  const MethodScope scope(cpu::ConvMethod::winograd);
  for (const Settings& settings : {Settings{2, 6, 5, 7, 9, 3, 3, 2, 2, 0, 0, 1, 1, 1},
                                   Settings{2, 6, 5, 7, 9, 3, 3, 1, 1, 1, 0, 1, 1, 1}})
    check_reads_inside(settings);
}

TEST_CASE("Winograd's algorithm is nearly as exact as direct sums on every instruction set") {
  const cpu::Isa before = cpu::active_isa();
  for (const Settings& settings : winograd_settings()) {
    const Problem problem(settings);
    REQUIRE(cpu::winograd_applies(problem.shape));
    const Results want = reference(problem);
    for (const cpu::Isa isa : cpu::usable_isas()) {
      CAPTURE(cpu::name_of(isa));
      CAPTURE(describe(settings));
      cpu::set_isa(isa);
      const Results direct = computed_by(cpu::ConvMethod::direct, problem);
      const Results winograd = computed_by(cpu::ConvMethod::winograd, problem);
      const auto check = [](const Values& got, const Values& plain, const Values& expected) {
        const double error = relative_error(plain, expected);
        CHECK(error < 2e-6);
        CHECK(relative_error(got, expected) < std::max(1e-5, 4 * error));
      };
      check(winograd.y, direct.y, want.y);
      check(winograd.dx, direct.dx, want.dx);
      check(winograd.dweight, direct.dweight, want.dweight);
    }
  }
  cpu::set_isa(before);
}

TEST_CASE("Winograd's algorithm gives the same bits for any number of threads and any batch") {
  const cpu::Isa before = cpu::active_isa();
  const MethodScope scope(cpu::ConvMethod::winograd);
  for (const cpu::Isa isa : cpu::usable_isas()) {
    cpu::set_isa(isa);
    for (const Settings& settings : {square(9, 16, 32, 48, 3, 1), square(20, 8, 64, 160, 3, 1),
                                     square(40, 4, 150, 136, 3, 1), square(5, 31, 17, 33, 3, 1)}) {
      CAPTURE(cpu::name_of(isa));
      CAPTURE(describe(settings));
      Problem problem(settings);
      cpu::set_threads(1);
      const Results one = tuned(problem);
      for (const int threads : {2, 4}) {
        cpu::set_threads(threads);
        const Results many = tuned(problem);
        CHECK(same_bits(one.y, many.y));
        CHECK(same_bits(one.dx, many.dx));
        CHECK(same_bits(one.dweight, many.dweight));
      }
      problem.shape.n = 1;
      const Results alone = tuned(problem);
      const auto first_picture = [&](const Values& maps) {
        return Values(maps.begin(), maps.begin() + static_cast<std::ptrdiff_t>(maps.size()) / settings.n);
      };
      CHECK(same_bits(first_picture(alone.y), first_picture(one.y)));
      CHECK(same_bits(first_picture(alone.dx), first_picture(one.dx)));
    }
  }
  cpu::set_threads(0);
  cpu::set_isa(before);
}

TEST_CASE("Winograd's algorithm is chosen for 3x3 filters with enough channels") {
  const auto pays = [](const Settings& settings) { return cpu::winograd_pays(shape_of(settings)); };
  CHECK(pays(square(128, 32, 64, 64, 3, 1)));
  CHECK(pays(square(128, 4, 512, 512, 3, 1)));
  CHECK_FALSE(pays(square(128, 32, 3, 64, 3, 1)));
  CHECK_FALSE(pays(square(128, 32, 64, 128, 3, 2)));
  CHECK_FALSE(pays(square(128, 32, 64, 64, 1, 1)));
  CHECK_FALSE(pays({128, 32, 32, 64, 64, 3, 3, 1, 1, 2, 2, 2, 2, 1}));  // dilation
  CHECK_FALSE(pays({128, 32, 32, 64, 64, 3, 3, 1, 1, 1, 1, 1, 1, 2}));  // groups
}

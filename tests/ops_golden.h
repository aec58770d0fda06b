// Reference cases of tests/fixtures/ops: which cases there are, their tensors, and one call that checks an op
// on a case.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/io/safetensors.h"
#include "tests/check_op.h"
#include "tests/golden.h"

namespace noisymix::testing {

/// One case of tests/fixtures/ops/manifest.json. Spatial arrays are NCHW and convolution weights OIHW, as
/// stored.
struct OpsCase {
  std::string name;
  std::string op;
  nlohmann::json attrs;
  std::vector<std::string> outputs;  ///< results and gradients, such as "y" and "grad_x"
  const Safetensors* bundle;
  double limit;  ///< largest relative_error() allowed in f32

  bool has(const std::string& tensor) const { return bundle->find(name + "/" + tensor) != nullptr; }
  const Tensor& at(const std::string& tensor) const { return bundle->at(name + "/" + tensor); }
};

/// Bundle of one file, read once per program.
inline const Safetensors& ops_bundle(const std::string& file) {
  static std::map<std::string, Safetensors> cache;
  auto found = cache.find(file);
  if (found == cache.end()) found = cache.emplace(file, read_safetensors(fixture_path("ops/" + file))).first;
  return found->second;
}

/// All cases of an op's name in the manifest; none is a failure.
inline std::vector<OpsCase> ops_cases(const std::string& op) {
  static const nlohmann::json manifest = read_json(fixture_path("ops/manifest.json"));
  std::vector<OpsCase> cases;
  for (const auto& entry : manifest.at("cases")) {
    if (entry.at("op") != op) continue;
    OpsCase item{entry.at("name"), op, entry.at("attrs"), {}, &ops_bundle(entry.at("file")), 0};
    for (const auto& output : entry.at("outputs").items()) item.outputs.push_back(output.key());
    item.limit = std::max(10 * entry.at("float32_rel_err").get<double>(), 2e-6);
    cases.push_back(std::move(item));
  }
  REQUIRE_MESSAGE(!cases.empty(), "no reference case of op " << op);
  return cases;
}

/// Axis order [0, 2, 3, 1] (NCHW to NHWC) or, with `back`, [0, 3, 1, 2]; plain loops, independent of the ops
/// under test.
inline Tensor transpose_channels(const Tensor& x, bool back) {
  const std::int64_t n = x.dim(0), c = back ? x.dim(3) : x.dim(1), h = back ? x.dim(1) : x.dim(2),
                     w = back ? x.dim(2) : x.dim(3);
  Tensor y = Tensor::empty(back ? Shape{n, c, h, w} : Shape{n, h, w, c}, x.dtype());
  dispatch_floating("transpose_channels", x.dtype(), [&]<typename T>() {
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < c; ++j)
        for (std::int64_t p = 0; p < h * w; ++p) {
          const std::int64_t first = (i * c + j) * h * w + p, last = (i * h * w + p) * c + j;
          (back ? to[first] : to[last]) = (back ? from[last] : from[first]);
        }
  });
  return y;
}
inline Tensor nchw_to_nhwc(const Tensor& x) {
  return transpose_channels(x, false);
}
inline Tensor nhwc_to_nchw(const Tensor& x) {
  return transpose_channels(x, true);
}

/// How check_ops_case converts rank-4 tensors on the way in and back on the way out.
enum class GoldenLayout { as_stored, channels_last };

/// Runs `op` in f32 on the named inputs of a case, seeds the backward pass with g_y, and compares y and every
/// grad_<input> within the limit. Integer inputs pass unchanged.
inline void check_ops_case(const OpsCase& item, const std::vector<std::string>& inputs, const OpFunction& op,
                           GoldenLayout layout = GoldenLayout::as_stored) {
  INFO("case " << item.name);
  const auto load = [&](const std::string& name) {
    const Tensor& stored = item.at(name);
    return layout == GoldenLayout::channels_last && stored.rank() == 4 ? nchw_to_nhwc(stored)
                                                                       : stored.clone();
  };
  const auto compare = [&](const std::string& name, const Tensor& got) {
    REQUIRE_MESSAGE(got.defined(), name << " is undefined");
    const Tensor converted =
        layout == GoldenLayout::channels_last && got.rank() == 4 ? nhwc_to_nchw(got) : got;
    const double error = relative_error(converted, item.at(name));
    CHECK_MESSAGE(error <= item.limit, name << ": relative error " << error << ", limit " << item.limit);
  };
  std::vector<Tensor> tensors;
  for (const std::string& name : inputs) {
    tensors.push_back(load(name));
    if (item.has("grad_" + name)) tensors.back().set_requires_grad();
  }
  const Tensor y = op(tensors);
  compare("y", y);
  if (!item.has("g_y")) return;
  backward(y, load("g_y"));
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (item.has("grad_" + inputs[i])) compare("grad_" + inputs[i], tensors[i].grad());
}

/// check_ops_case on every case of an op whose attributes do not matter.
inline void check_ops_cases(const std::string& name, const std::vector<std::string>& inputs,
                            const OpFunction& op, GoldenLayout layout = GoldenLayout::as_stored) {
  for (const OpsCase& item : ops_cases(name)) check_ops_case(item, inputs, op, layout);
}

}  // namespace noisymix::testing

#include "tools/model_costs.h"

#include <algorithm>
#include <string_view>

#include "engine/backend.h"
#include "engine/error.h"
#include "engine/profile.h"

namespace noisymix {
namespace {

constexpr std::int64_t kExamples = 2;  // a batch norm behind the last reduction needs two values per channel

/// The module that the row of a parameter stands for: at most `depth` parts of the path in front of its name.
/// A parameter of the network itself is a row of its own.
std::string row_of(const std::string& parameter, int depth) {
  const std::size_t last = parameter.rfind('.');
  if (last == std::string::npos) return parameter;
  std::size_t end = 0;
  for (int part = 0; part < depth && end < last; ++part) end = std::min(parameter.find('.', end + 1), last);
  return parameter.substr(0, end);
}

/// Adds arithmetic and shapes to the rows while a network runs. Rows are disjoint, so what was counted since
/// the last row ended belongs to the row that ends now.
class Watch {
 public:
  Watch(std::vector<ModuleCosts>& rows, const Profile& profile) : rows_(rows), profile_(profile) {}

  void module_ended(const Module& module, const Tensor& output) {
    const std::string path = module.path();
    const auto row =
        std::find_if(rows_.begin(), rows_.end(), [&](const ModuleCosts& r) { return r.path == path; });
    if (row == rows_.end()) return;
    const double counted = total();
    row->flops += (counted - before_) / static_cast<double>(kExamples);
    before_ = counted;
    row->output.assign(output.shape().dims().begin() + 1, output.shape().dims().end());
  }
  double total() const {
    double flops = 0;
    for (const auto& [op, cost] : profile_.costs()) flops += cost.flops;
    return flops;
  }

 private:
  std::vector<ModuleCosts>& rows_;
  const Profile& profile_;
  double before_ = 0;
};

}  // namespace

ModelCosts measure_costs(Model& model, const std::vector<std::int64_t>& sample_shape, int depth) {
  NM_CHECK(depth >= 1, "[model costs] depth must be at least 1, got ", depth);
  ModelCosts costs;
  for (const auto& [name, tensor] : model.state())
    costs.weight_bytes += static_cast<std::int64_t>(tensor.bytes());
  for (const auto& [name, parameter] : model.parameters()) {
    costs.parameters += parameter.numel();
    std::string row = row_of(name, depth);
    const auto known = std::find_if(costs.modules.begin(), costs.modules.end(),
                                    [&](const ModuleCosts& m) { return m.path == row; });
    if (known != costs.modules.end())
      known->parameters += parameter.numel();
    else
      costs.modules.push_back({std::move(row), parameter.numel(), {}, 0});
  }

  std::vector<std::int64_t> dims = {kExamples};
  dims.insert(dims.end(), sample_shape.begin(), sample_shape.end());
  const Backend& backend = backend_of(model.device());
  const std::int64_t before = backend.memory().in_use;
  const Tensor examples = Tensor::zeros(Shape(dims), Dtype::f32, model.device());
  const Profile profile;
  Watch watch(costs.modules, profile);
  Context context;
  context.training = true;
  context.module_hook = [&](const Module& module, const Tensor& y) { watch.module_ended(module, y); };
  const Tensor logits = model(examples, context);  // holds everything that a backward pass needs
  costs.activation_bytes = (backend.memory().in_use - before) / kExamples;
  costs.flops = watch.total() / static_cast<double>(kExamples);
  return costs;
}

}  // namespace noisymix

#include "tools/weights.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "data/file_bytes.h"
#include "engine/autograd.h"
#include "engine/error.h"
#include "tools/run_directory.h"

namespace noisymix {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kShownOfAKind = 10;
constexpr std::string_view kBatchCount = "num_batches_tracked";

std::string python_text(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

/// Refuses what torch.save writes: a zip archive since PyTorch 1.6, a bare pickle before.
void check_not_pickled(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  char start[4] = {};
  in.read(start, sizeof start);
  const std::string_view bytes(start, static_cast<std::size_t>(in.gcount()));
  const bool zip = bytes.starts_with("PK\x03\x04");
  const bool pickle = bytes.size() >= 2 && bytes[0] == '\x80' && bytes[1] >= 1 && bytes[1] <= 5;
  if (!zip && !pickle) return;
  fs::path converted = path;
  converted.replace_extension(".safetensors");
  fail<DataError>(
      path.string(), ": a ", zip ? "zip archive" : "Python pickle",
      ", as torch.save writes; reading one can run any code, so noisymix does not. Convert it once, in "
      "Python:\n  import torch; from safetensors.torch import save_file; d = torch.load(",
      python_text(path.string()), ", map_location='cpu', weights_only=True); d = d.get('state_dict', d)",
      "\n  save_file({k: v.contiguous() for k, v in d.items() if torch.is_tensor(v)}, ",
      python_text(converted.string()), ")");
}

/// Drops the prefixes that wrappers leave, as long as all names share one.
void drop_prefixes(Safetensors& file) {
  bool dropped = !file.tensors.empty();
  while (dropped) {
    dropped = false;
    for (const std::string_view prefix : {"module.", "state_dict.", "model."}) {
      const auto has = [&](const auto& item) { return item.first.starts_with(prefix); };
      if (!std::all_of(file.tensors.begin(), file.tensors.end(), has)) continue;
      for (auto& [name, tensor] : file.tensors) name.erase(0, prefix.size());
      dropped = true;
    }
  }
}

bool is_below(std::string_view name, std::string_view module) {
  return !module.empty() && name.size() > module.size() && name.starts_with(module) &&
         name[module.size()] == '.';
}

bool is_batch_count(std::string_view name) {
  return name == kBatchCount || name.ends_with("." + std::string(kBatchCount));
}

/// The shape that PyTorch gives a tensor of ours: weights of convolutions are OHWI here, OIHW there.
Shape torch_shape(const Tensor& x) {
  if (x.rank() != 4 || !is_floating(x.dtype())) return x.shape();
  return {x.dim(0), x.dim(3), x.dim(1), x.dim(2)};
}

/// Problems of one kind; only the first few are spelled out.
class Problems {
 public:
  explicit Problems(std::string kind) : kind_(std::move(kind)) {}
  template <typename... Parts>
  void add(const Parts&... parts) {
    if (++count_ <= kShownOfAKind) text_ += "\n  " + kind_ + ": " + detail::concat_message(parts...);
  }
  std::string text() const {
    if (count_ <= kShownOfAKind) return text_;
    return text_ + "\n  " + kind_ + ": and " + std::to_string(count_ - kShownOfAKind) + " more";
  }

 private:
  std::string kind_, text_;
  std::size_t count_ = 0;
};

/// The complete state to load, and everything that stands against it.
struct Fit {
  Module::Named state;
  std::string problems;
};

Fit fit(const Module::Named& wanted, const Module::Named& given, const std::string& except) {
  Fit result;
  Problems missing("missing"), unexpected("unexpected"), misshaped("wrong shape"), mistyped("wrong type"),
      broken("not finite");
  std::map<std::string, const Tensor*> by_name;
  for (const auto& [name, tensor] : given) by_name.emplace(name, &tensor);
  for (const auto& [name, target] : wanted) {
    const auto found = by_name.find(name);
    const Tensor* const value = found == by_name.end() ? nullptr : found->second;
    if (value != nullptr) by_name.erase(found);
    if (is_below(name, except)) {
      result.state.emplace_back(name, target.clone());
    } else if (value == nullptr && is_batch_count(name)) {
      result.state.emplace_back(name, Tensor::zeros(target.shape(), target.dtype()));
    } else if (value == nullptr) {
      missing.add(name, " ", torch_shape(target));
    } else if (value->shape() != target.shape()) {
      misshaped.add(name, " is ", torch_shape(*value), ", expected ", torch_shape(target));
    } else if (value->dtype() != target.dtype() &&
               !(is_floating(value->dtype()) && is_floating(target.dtype()))) {
      mistyped.add(name, " is ", value->dtype(), ", expected ", target.dtype());
    } else if (!all_finite(*value)) {
      broken.add(name, " ", torch_shape(*value));
    } else {
      result.state.emplace_back(name, *value);
    }
  }
  for (const bool counts : {false, true}) {  // in the order of the file, but what tells least comes last
    for (const auto& [name, tensor] : given)
      if (by_name.contains(name) && !is_below(name, except) && is_batch_count(name) == counts)
        unexpected.add(printable(name), " ", torch_shape(tensor));
  }
  for (const Problems* kind : {&missing, &unexpected, &misshaped, &mistyped, &broken})
    result.problems += kind->text();
  return result;
}

}  // namespace

WeightFile read_weight_file(const fs::path& path) {
  const NoGrad unrecorded;
  WeightFile weights;
  weights.path = path;
  if (fs::is_directory(path)) {
    const RunDirectory directory(path);
    NM_CHECK_AS(DataError, directory.exists(), path.string(), ": not a run folder (there is no config.toml)");
    weights.path = directory.model_file();
    NM_CHECK_AS(DataError, fs::exists(weights.path), path.string(),
                ": no model.safetensors yet; training writes it with its first checkpoint or evaluation");
  }
  check_not_pickled(weights.path);
  Safetensors file = read_safetensors(weights.path);
  weights.card = find_card(weights.path, file);
  if (!weights.card) drop_prefixes(file);
  weights.tensors = network_state(file);
  NM_CHECK_AS(DataError, !weights.tensors.empty(), weights.path.string(), ": holds no weights");
  return weights;
}

void load_weights(const WeightFile& weights, Model& model, const std::string& except) {
  const NoGrad unrecorded;
  const Fit found = fit(model.state(), weights.tensors, except);
  NM_CHECK_AS(DataError, found.problems.empty(), weights.path.string(),
              ": does not fit the network:", found.problems);
  model.load_state(found.state);
}

}  // namespace noisymix

// Whole models against PyTorch: logits, loss, every parameter's gradient, running statistics.
#include "engine/io/safetensors.h"
#include "engine/ops/cross_entropy.h"
#include "models/toy_mlp.h"
#include "tests/models/golden_model.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

/// Largest accepted deviations. The reference is f64: in f64 we agree to its rounding. In f32 a
/// pre-activation near zero may change sign between two correct relu networks, which moves their gradients by
/// up to a few percent.
struct Limits {
  double eval_logits, train_logits, loss, gradient, statistics;
};
constexpr Limits kDouble{1e-12, 1e-11, 1e-12, 1e-9, 1e-12};
constexpr Limits kSmoothFloat{5e-6, 2e-5, 1e-5, 1e-4, 1e-5};
constexpr Limits kReluFloat{5e-6, 2e-5, 1e-5, 3e-2, 1e-5};
// 128 x 128 pixels, many layers: the loss of the reference's own f32 run is 2.5e-5 off.
constexpr Limits kDeepFloat{5e-6, 1e-4, 5e-5, 3e-2, 1e-5};

struct Case {
  const char* golden;  ///< name in the manifest
  const char* model;   ///< name in the registry; empty: a toy network of a size between the papers'
  Limits single;       ///< in f32
};

constexpr Case kCases[] = {
    {"preactresnet18", "preactresnet18", kReluFloat},
    {"preactresnet18_w0.25", "preactresnet18", kReluFloat},
    {"preactwideresnet18", "preactwideresnet18", kReluFloat},
    {"wrn28_2", "wrn28-2", kReluFloat},
    {"wrn28_4", "wrn28-4", kReluFloat},
    {"wrn40_2_augmix", "wrn40-2-augmix", kReluFloat},
    {"resnet18_tv", "resnet18", kReluFloat},
    {"resnet50_tv", "resnet50", kDeepFloat},
    {"densenet121_tv", "densenet121", kDeepFloat},
    {"densenet121_cifar", "densenet121-cifar", kReluFloat},
    {"resnet18_cifar", "resnet18-cifar", kReluFloat},
    {"vit_lite_7_4", "vit-lite", kSmoothFloat},
    {"allconv", "allconv", kReluFloat},  // smooth, but a maximum may change its place
    {"toy_mlp", "", kSmoothFloat},
    {"preactresnet18_w0.25_gelu", "preactresnet18", kSmoothFloat},
    {"wrn28_2_gelu", "wrn28-2", kSmoothFloat},
    {"densenet121_cifar_gelu", "densenet121-cifar", kSmoothFloat},
};

const Case& case_of(const std::string& golden) {
  for (const Case& one : kCases)
    if (golden == one.golden) return one;
  FAIL("the manifest has a network that this test does not know: " << golden);
  return kCases[0];
}

/// Without dropout and stochastic depth, as in the reference runs.
std::unique_ptr<Model> build(const Case& one, int classes) {
  const std::string golden = one.golden, name = one.model;
  if (name.empty()) {
    ToyMlpOptions toy;
    toy.classes = classes;
    toy.hidden_layers = 2;
    return std::make_unique<ToyMlp>(toy);
  }
  ModelOptions options;
  options.classes = classes;
  if (golden.ends_with("_gelu")) options.activation = "gelu";
  if (golden.find("_w0.25") != std::string::npos) options.width = 0.25;
  options.dropout = 0;
  options.drop_path = 0;
  return make_blank_model(name, options);
}

class GoldenModel {
 public:
  GoldenModel(const Case& one, Dtype dtype, const Limits& limits)
      : name_(one.golden),
        dtype_(dtype),
        limits_(limits),
        bundle_(read_safetensors(fixture_path("models/models.safetensors"))) {
    const auto manifest = read_json(fixture_path("models/manifest.json"));
    for (const auto& entry : manifest.at("models"))
      if (entry.at("name") == name_) golden_ = entry;
    REQUIRE(!golden_.is_null());
    base_ = golden_.at("weight_stream_base");
    model_ = build(one, golden_.at("num_classes"));
    load_golden_weights(*model_, base_, dtype);
    x_ = golden_input(golden_.at("input_shape"), base_, dtype);
  }

  void check() {
    CAPTURE(name_);
    check_names();
    {
      NoGrad unrecorded;
      const Tensor logits = (*model_)(x_, Context::evaluation());
      CHECK(relative_error(logits, bundle_.at(name_ + "/eval_logits")) <= limits_.eval_logits);
    }
    x_.set_requires_grad();
    Context training;
    training.training = true;
    const Tensor logits = (*model_)(x_, training);
    CHECK(relative_error(logits, bundle_.at(name_ + "/train_logits")) <= limits_.train_logits);
    const std::vector<std::int64_t> labels = golden_.at("labels");
    const Tensor loss =
        cross_entropy(logits, Tensor::from(labels, {static_cast<std::int64_t>(labels.size())}));
    const double want = golden_.at("train_loss");
    CHECK(std::abs(loss.item() - want) <= limits_.loss * want);
    backward(loss);
    check_gradients_and_statistics();
  }

 private:
  void check_names() {
    const Safetensors file = to_torch_layout(model_->state());
    const auto& entries = golden_.at("state_dict");
    REQUIRE(file.tensors.size() == entries.size());
    for (std::size_t i = 0; i < entries.size(); ++i) {
      CHECK(file.tensors[i].first == entries[i].at("name").get<std::string>());
      CHECK(file.tensors[i].second.shape().dims() == entries[i].at("shape").get<std::vector<std::int64_t>>());
    }
    CHECK(model_->parameter_count() == golden_.at("trainable_parameters").get<std::int64_t>());
  }

  /// Sum, norm and, where the reference has them, sampled elements of one gradient.
  void check_gradient(const std::string& name, const Tensor& grad, double want_norm, double want_sum,
                      const double* want, std::uint32_t stream) {
    CAPTURE(name);
    REQUIRE(grad.defined());
    const auto g = torch_order(grad);
    const double spread = want_norm * std::sqrt(static_cast<double>(g.size()));
    CHECK(std::abs(norm_of(g) - want_norm) <= limits_.gradient * want_norm);
    CHECK(std::abs(sum_of(g) - want_sum) <= limits_.gradient * spread);
    if (want != nullptr) CHECK(l2_distance(golden_samples(g, stream, 64), want) <= limits_.gradient);
  }

  void check_gradients_and_statistics() {
    const double* input = bundle_.at(name_ + "/input_grad_samples").data<double>();
    check_gradient("input", x_.grad(), golden_.at("input_grad_l2"), golden_.at("input_grad_sum"), input,
                   base_ + 0x4FFFF);
    const std::vector<std::string> sampled = golden_.at("grad_sample_params");
    const double* samples = bundle_.at(name_ + "/grad_samples").data<double>();
    const auto& entries = golden_.at("state_dict");
    const Module::Named state = model_->state();
    for (std::size_t k = 0; k < state.size(); ++k) {
      const std::string& name = state[k].first;
      const Tensor& tensor = state[k].second;
      const auto& entry = entries[k];
      CAPTURE(name);
      if (entry.contains("after_train_l2")) {
        const double norm = entry.at("after_train_l2"), sum = entry.at("after_train_sum");
        CHECK(std::abs(norm_of(values(tensor)) - norm) <= limits_.statistics * norm);
        CHECK(std::abs(sum_of(values(tensor)) - sum) <=
              limits_.statistics * norm * std::sqrt(static_cast<double>(tensor.numel())));
      } else if (entry.value("grad_is_zero",
                             false)) {  // a bias in front of a batch norm: zero up to rounding
        CHECK(norm_of(values(tensor.grad())) <= (dtype_ == Dtype::f64 ? 1e-14 : 1e-5));
      } else if (entry.contains("grad_l2")) {
        const auto row = std::find(sampled.begin(), sampled.end(), name) - sampled.begin();
        const bool has_samples = row < static_cast<std::ptrdiff_t>(sampled.size());
        check_gradient(name, tensor.grad(), entry.at("grad_l2"), entry.at("grad_sum"),
                       has_samples ? samples + 64 * row : nullptr,
                       base_ + 0x50000 + static_cast<std::uint32_t>(k));
      } else {
        CHECK(tensor.item() == 1);  // num_batches_tracked
      }
    }
  }

  std::string name_;
  Dtype dtype_;
  Limits limits_;
  Safetensors bundle_;
  nlohmann::json golden_;
  std::uint32_t base_ = 0;
  std::unique_ptr<Model> model_;
  Tensor x_;
};

}  // namespace

TEST_CASE("every network of the manifest is known, with its number of parameters for any number of classes") {
  const auto manifest = read_json(fixture_path("models/manifest.json"));
  std::size_t count = 0;
  for (const auto& entry : manifest.at("models")) {
    const std::string name = entry.at("name");
    CAPTURE(name);
    const Case& one = case_of(name);
    for (const auto& [classes, parameters] : entry.at("trainable_parameters_by_classes").items())
      CHECK(build(one, std::stoi(classes))->parameter_count() == parameters.get<std::int64_t>());
    ++count;
  }
  CHECK(count == std::size(kCases));
}

TEST_CASE("networks agree with PyTorch to rounding in f64") {
  for (const Case& one : kCases) GoldenModel(one, Dtype::f64, kDouble).check();
}

TEST_CASE("networks agree with PyTorch in f32") {
  for (const Case& one : kCases) GoldenModel(one, Dtype::f32, one.single).check();
}

TEST_CASE("ImageNet networks agree with PyTorch at 224 x 224 with 1000 classes") {
  const auto manifest = read_json(fixture_path("models/manifest.json"));
  const Safetensors bundle = read_safetensors(fixture_path("models/models.safetensors"));
  for (const auto& entry : manifest.at("eval224")) {
    const std::string name = entry.at("name");
    CAPTURE(name);
    const std::uint32_t base = entry.at("weight_stream_base");
    const auto model = build(case_of(name), entry.at("num_classes"));
    for (const Dtype dtype : {Dtype::f64, Dtype::f32}) {
      CAPTURE(dtype);
      load_golden_weights(*model, base, dtype);
      const NoGrad unrecorded;
      const Tensor logits =
          (*model)(golden_input(entry.at("input_shape"), base, dtype), Context::evaluation());
      CHECK(relative_error(logits, bundle.at(entry.at("tensor"))) <= (dtype == Dtype::f64 ? 1e-12 : 5e-6));
    }
  }
}

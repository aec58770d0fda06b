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

std::unique_ptr<Model> build(const std::string& golden_name, int classes) {
  std::string name = golden_name;
  ModelOptions options;
  options.classes = classes;
  if (name.ends_with("_gelu")) {
    options.activation = "gelu";
    name.resize(name.size() - 5);
  }
  if (name == "toy_mlp") {  // two hidden layers, a size between the papers' toy networks
    ToyMlpOptions toy;
    toy.classes = classes;
    toy.hidden_layers = 2;
    return std::make_unique<ToyMlp>(toy);
  }
  if (name.ends_with("_w0.25")) {
    options.width = 0.25;
    name.resize(name.size() - 6);
  }
  if (name.starts_with("wrn")) {
    options.dropout = 0;  // as in the reference run
    std::replace(name.begin(), name.end(), '_', '-');
  }
  return make_model(name, options, Key(1));
}

class GoldenModel {
 public:
  GoldenModel(const std::string& name, Dtype dtype, const Limits& limits)
      : name_(name),
        dtype_(dtype),
        limits_(limits),
        bundle_(read_safetensors(fixture_path("models/models.safetensors"))) {
    const auto manifest = read_json(fixture_path("models/manifest.json"));
    for (const auto& entry : manifest.at("models"))
      if (entry.at("name") == name) golden_ = entry;
    REQUIRE(!golden_.is_null());
    base_ = golden_.at("weight_stream_base");
    model_ = build(name, golden_.at("num_classes"));
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

TEST_CASE("toy network agrees with PyTorch") {
  GoldenModel("toy_mlp", Dtype::f64, kDouble).check();
  GoldenModel("toy_mlp", Dtype::f32, kSmoothFloat).check();
}

TEST_CASE("PreActResNet-18 of a quarter width agrees with PyTorch") {
  GoldenModel("preactresnet18_w0.25", Dtype::f64, kDouble).check();
  GoldenModel("preactresnet18_w0.25", Dtype::f32, kReluFloat).check();
  GoldenModel("preactresnet18_w0.25_gelu", Dtype::f64, kDouble).check();
  GoldenModel("preactresnet18_w0.25_gelu", Dtype::f32, kSmoothFloat).check();
}

TEST_CASE("PreActResNet-18 agrees with PyTorch") {
  GoldenModel("preactresnet18", Dtype::f32, kReluFloat).check();
}

TEST_CASE("PreActWideResNet-18 agrees with PyTorch") {
  GoldenModel("preactwideresnet18", Dtype::f32, kReluFloat).check();
}

TEST_CASE("WRN-28-2 in NoisyMix form agrees with PyTorch") {
  GoldenModel("wrn28_2", Dtype::f64, kDouble).check();
  GoldenModel("wrn28_2", Dtype::f32, kReluFloat).check();
  GoldenModel("wrn28_2_gelu", Dtype::f32, kSmoothFloat).check();
}

TEST_CASE("WRN-28-4 in NoisyMix form agrees with PyTorch") {
  GoldenModel("wrn28_4", Dtype::f32, kReluFloat).check();
}
